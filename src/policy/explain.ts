import type { HeaderRule, PathRule, Route, RouteMatch, Verdict } from "./types.ts"

/**
 * One line for a route: where it leads and what it lets through, for operators and agents alike. It names no slot, no
 * `connect_to` and no CA.
 */
export function explainRoute(route: Route): string {
  const parts = [`${explainOrigin(route)}: ${explainMatches(route.matches)}`]
  if (route.git?.fetch) parts.push("git clone and fetch")
  if (route.websocket) parts.push("WebSocket")
  if (route.auth) parts.push(`the operator's credential is added (${route.auth.scheme})`)
  if (route.keep_headers?.length) parts.push(`the agent's own ${route.keep_headers.join(", ")} kept`)
  if (route.allow_private) parts.push("private addresses allowed")
  return parts.join("; ")
}

/** `https://host`, with the port where it is not the scheme's own. */
export function explainOrigin(place: { scheme: "https" | "http"; host: string; port: number }): string {
  const usual = place.scheme === "https" ? 443 : 80
  return `${place.scheme}://${place.host}${place.port === usual ? "" : `:${place.port}`}`
}

function explainMatches(matches: readonly RouteMatch[] | undefined): string {
  if (matches === undefined) return "whole host"
  if (matches.length === 0) return "nothing"
  return matches.map(explainMatch).join(" | ")
}

/** One `matches` entry in words: methods, paths, headers; `everything` when it has no dimension. */
export function explainMatch(match: RouteMatch): string {
  const parts: string[] = []
  if (match.methods !== undefined) parts.push(listWords(match.methods, "no method"))
  if (match.paths !== undefined) parts.push(listWords(match.paths.map(explainPath), "no path"))
  if (match.headers?.length) parts.push(`with ${match.headers.map(explainHeader).join(" and ")}`)
  return parts.length === 0 ? "everything" : parts.join(" ")
}

function listWords(words: readonly string[], none: string): string {
  return words.length === 0 ? none : words.join(" or ")
}

function explainPath(rule: PathRule): string {
  if (rule.type === "exact") return `exactly ${rule.value}`
  if (rule.type === "regex") return `paths like ${rule.value}`
  return rule.value === "/" ? "any path" : `${rule.value} and below`
}

function explainHeader(rule: HeaderRule): string {
  return rule.value === undefined ? `header ${rule.name}` : `header ${rule.name}: ${rule.value}`
}

/** A verdict in one line, or for a denial two: what was refused and why, then what can be done. */
export function explainVerdict(verdict: Verdict): string {
  if (verdict.kind === "allow") return `allowed by ${verdict.gate}: ${verdict.because}`
  return `refused by ${verdict.gate} (${verdict.reason}): ${verdict.message}\n${verdict.remedy}`
}
