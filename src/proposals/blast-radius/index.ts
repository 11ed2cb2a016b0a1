import { explainMatch, explainOrigin } from "../../policy/explain.ts"
import type { EgressPolicy, Route, RouteMatch } from "../../policy/types.ts"
import { knownRoute, widenPolicy } from "../../policy/widen.ts"
import type { Meaning } from "../check.ts"
import { dockerfileFindings } from "./dockerfile.ts"
import { bothSpellings, carriesData, isAddress, lookAlike, looksInternal } from "./names.ts"

/** Stable names of what is found, for scripts. */
export type FindingKind =
  | "new-host"
  | "whole-host"
  | "wildcard"
  | "credential-new-host"
  | "credential-methods"
  | "credential-paths"
  | "plain-http"
  | "odd-port"
  | "address"
  | "internal-name"
  | "punycode"
  | "look-alike"
  | "data-in-name"
  | "takes-over"
  | "from"
  | "add"
  | "run"
  | "build-network"

export interface Finding {
  kind: FindingKind
  /** `danger`: think twice. Computed from what is proposed, never from the agent's words. */
  weight: "note" | "caution" | "danger"
  /** One sentence; holds foreign names, so it is made safe where it is shown. */
  text: string
}

/**
 * What approving would open beyond what is open now. Pure; nothing is resolved or fetched (SECURITY 17). Empty for a
 * proposal that changes nothing. `dockerfile` is the one that the bottle's image is made from today; `network`: the
 * operator chose that its RUNs have one.
 */
export function blastRadius(meaning: Meaning, policy: EgressPolicy, dockerfile = "", network = false): Finding[] {
  switch (meaning.tool) {
    case "egress-block":
      return routeFindings(meaning.route, policy)
    case "pipelock-block":
      return hostFindings(meaning.host, policy)
    case "capability-block":
      return [...networkFindings(network), ...dockerfileFindings(meaning.parsed, dockerfile)]
  }
}

function networkFindings(network: boolean): Finding[] {
  if (!network) return []
  const text =
    "with --network every RUN reaches the engine's network while it is built: no route, no allowlist, services of its host"
  return [danger("build-network", text)]
}

function hostFindings(host: string, policy: EgressPolicy): Finding[] {
  const asked: Route = { host, scheme: "https", port: 443 }
  if (widenPolicy(policy, asked) === policy) return []
  return [
    note("new-host", `${bothSpellings(host)} is new to this bottle`),
    caution("whole-host", `every path and method of ${host}: the path that was refused is not enforced`),
    ...nameFindings(host, policy),
  ]
}

function routeFindings(asked: Route, policy: EgressPolicy): Finding[] {
  const known = knownRoute(policy, asked)
  if (widenPolicy(policy, asked) === policy) return []
  const findings: Finding[] = []
  const open = policy.routes.some((route) => route.host === asked.host)
  if (!open) findings.push(note("new-host", `${bothSpellings(asked.host)} is new to this bottle`))
  const whole = asked.matches === undefined || asked.matches.some(isEverything)
  if (whole) findings.push(caution("whole-host", `every path and method of ${asked.host}`))
  findings.push(...credentialFindings(asked, known))
  findings.push(...placeFindings(asked))
  if (!open) findings.push(...nameFindings(asked.host, policy))
  return [...findings, ...takeOverFindings(asked, policy)]
}

/** What the operator's credential would newly be sent with. */
function credentialFindings(asked: Route, known: Route | undefined): Finding[] {
  if (known === undefined) {
    if (asked.auth === undefined) return []
    const { token_ref, scheme } = asked.auth
    return [
      danger(
        "credential-new-host",
        `${token_ref} would be sent to ${asked.host} (${scheme}), a host it is not used for today`,
      ),
    ]
  }
  if (known.auth === undefined) return []
  const slot = known.auth.token_ref
  const methods = newMethods(asked, known)
  if (methods.length > 0) {
    return [danger("credential-methods", `with ${slot}, on ${known.host}, newly: ${methods.join(", ")}`)]
  }
  const where = (asked.matches ?? [{}]).map(explainMatch).join(" | ")
  return [caution("credential-paths", `${slot} goes along to ${known.host} for: ${where}`)]
}

/** Methods that no entry of the host has today, `any method` for an entry that names none. */
function newMethods(asked: Route, known: Route): string[] {
  const today = new Set(known.matches?.flatMap(({ methods }) => methods ?? []))
  if (known.matches?.some(({ methods }) => methods === undefined)) return []
  const wanted = (asked.matches ?? [{}]).flatMap(({ methods }) => methods ?? ["any method"])
  return [...new Set(wanted)].filter((method) => !today.has(method))
}

function placeFindings({ host, scheme, port }: Route): Finding[] {
  const findings: Finding[] = []
  if (host.startsWith("*."))
    findings.push(danger("wildcard", `every name below ${host.slice(2)}, also those made up tomorrow`))
  if (scheme === "http") findings.push(caution("plain-http", `plain http: anyone on the way reads and changes it`))
  if (port !== (scheme === "https" ? 443 : 80)) findings.push(note("odd-port", `port ${port}`))
  return findings
}

function nameFindings(host: string, policy: EgressPolicy): Finding[] {
  const findings: Finding[] = []
  const name = host.replace(/^\*\./, "")
  const known = [...policy.routes.map((route) => route.host), ...policy.allowlist]
  if (isAddress(name))
    findings.push(danger("address", `${name} is an address, not a name: nobody vouches for who answers there`))
  if (looksInternal(name)) findings.push(danger("internal-name", `${name} looks like a name inside your own network`))
  if (/(?:^|\.)xn--/.test(name)) findings.push(caution("punycode", `letters outside ASCII: ${bothSpellings(name)}`))
  const like = lookAlike(host, known)
  if (like !== undefined)
    findings.push(danger("look-alike", `${bothSpellings(name)} could be taken for ${like}, and is another host`))
  const data = carriesData(name)
  if (data !== undefined)
    findings.push(danger("data-in-name", `${data} looks like data: looking the name up would send it`))
  return findings
}

/** A wildcard's route takes hosts of the allowlist over: they keep only what the route permits. */
function takeOverFindings(asked: Route, policy: EgressPolicy): Finding[] {
  if (!asked.host.startsWith("*.")) return []
  const taken = policy.allowlist.filter((host) => host.endsWith(asked.host.slice(1)))
  return taken.map((host) => note("takes-over", `${host}, open as a whole today, is then judged by this route`))
}

function isEverything(match: RouteMatch): boolean {
  return (
    match.methods === undefined &&
    match.headers === undefined &&
    (match.paths === undefined || match.paths.some(({ type, value }) => type === "prefix" && value === "/"))
  )
}

/** The one line that approval adds (BEHAVIOUR 10). */
export function whatIsAdded(meaning: Meaning): string {
  if (meaning.tool === "capability-block")
    return "a new image from this Dockerfile: the bottle stops, and bottle resume builds it"
  if (meaning.tool === "pipelock-block")
    return `https://${meaning.host}: whole host (allowlist; the path is not enforced)`
  const { route } = meaning
  const matches = route.matches === undefined ? "whole host" : route.matches.map(explainMatch).join(" | ")
  return `${explainOrigin(route)}: ${matches}`
}

const finding =
  (weight: Finding["weight"]) =>
  (kind: FindingKind, text: string): Finding => ({ kind, weight, text })
const note = finding("note")
const caution = finding("caution")
const danger = finding("danger")
