import { canonicalJson } from "./canonical-json.ts"
import { canonicalHostPattern } from "./host.ts"
import type { EgressPolicy, Route } from "./types.ts"
import { joinMatches } from "./unite.ts"

/** One host of a policy, as `widenPolicy` sees it. */
type Pattern = { host: string; wildcard: boolean }

/**
 * A policy that also permits what one more route permits (SECURITY 13), or the same policy when that is permitted
 * already. A host that has a route keeps everything it says about itself, its credential first of all, and gets a
 * `matches` entry; what the new route says beyond that is ignored. A host that was permitted by a wildcard or by the
 * allowlist keeps that too: a route of its own would otherwise take it away.
 */
export function widenPolicy(policy: EgressPolicy, asked: Route): EgressPolicy {
  const pattern = patternOf(asked.host)
  if (pattern === undefined) return policy
  const working = [...policy.routes, ...inherited(policy, pattern)]
  const at = working.findIndex((route) => isOrigin(route, asked))
  const known = working[at]
  if (known === undefined) return { ...policy, routes: [...working, asked] }
  const joined = joinRoute(known, asked)
  if (canonicalJson(joined) === canonicalJson(known)) return policy
  return { ...policy, routes: working.with(at, joined) }
}

/** The route by which one request passes once: what is known of the host, and of its matches only those asked for. */
export function onceRoute(policy: EgressPolicy, asked: Route): Route {
  const known = knownRoute(policy, asked)
  if (known === undefined) return asked
  const { matches: _, ...host } = known
  return { ...host, ...(asked.matches === undefined ? {} : { matches: asked.matches }) }
}

/** The route of exactly this host, scheme and port, if there is one. */
export function knownRoute(policy: EgressPolicy, place: Pick<Route, "host" | "scheme" | "port">): Route | undefined {
  return policy.routes.find((route) => isOrigin(route, place))
}

/** The policy with one more line on the allowlist; the same when the line is there. */
export function allowHost(policy: EgressPolicy, host: string): EgressPolicy {
  return policy.allowlist.includes(host) ? policy : { ...policy, allowlist: [...policy.allowlist, host] }
}

/** The policy without a rule that was used up. */
export function withoutOnce(policy: EgressPolicy, used: ReadonlySet<string>): EgressPolicy {
  if (!policy.once?.some(({ id }) => used.has(id))) return policy
  const { once, ...rest } = policy
  const left = once.filter(({ id }) => !used.has(id))
  return left.length === 0 ? rest : { ...rest, once: left }
}

/** `https://host:443`, by which routes are told apart. */
export function originKey(route: Pick<Route, "host" | "scheme" | "port">): string {
  const pattern = patternOf(route.host)
  const host = pattern === undefined ? route.host : `${pattern.wildcard ? "*." : ""}${pattern.host}`
  return `${route.scheme}://${host}:${route.port}`
}

function joinRoute(known: Route, asked: Route): Route {
  const matches = joinMatches(known, asked)
  const { matches: _, ...host } = known
  return matches === undefined ? host : { ...host, matches }
}

/** What this host may do today by somebody else's rule, as routes of its own. */
function inherited(policy: EgressPolicy, pattern: Pattern): Route[] {
  const own = policy.routes.filter((route) => samePattern(patternOf(route.host), pattern))
  if (own.length > 0) return []
  const host = `${pattern.wildcard ? "*." : ""}${pattern.host}`
  const wildcards = policy.routes.flatMap((route) => {
    const covering = patternOf(route.host)
    return covering !== undefined && covers(covering, pattern) ? [{ route, length: covering.host.length }] : []
  })
  const longest = Math.max(...wildcards.map(({ length }) => length))
  if (wildcards.length > 0)
    return wildcards.filter((one) => one.length === longest).map(({ route }) => ({ ...route, host }))
  const listed = policy.allowlist.some((line) => {
    const on = patternOf(line)
    return on !== undefined && (samePattern(on, pattern) || covers(on, pattern))
  })
  return listed ? [{ host, scheme: "https", port: 443 }] : []
}

function covers(wide: Pattern, narrow: Pattern): boolean {
  return wide.wildcard && narrow.host.endsWith(`.${wide.host}`)
}

function samePattern(a: Pattern | undefined, b: Pattern): boolean {
  return a !== undefined && a.host === b.host && a.wildcard === b.wildcard
}

function isOrigin(route: Route, place: Pick<Route, "host" | "scheme" | "port">): boolean {
  return originKey(route) === originKey(place)
}

function patternOf(host: string): Pattern | undefined {
  const pattern = canonicalHostPattern(host)
  return pattern.kind === "bad" ? undefined : pattern
}
