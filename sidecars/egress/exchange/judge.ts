import { authHeader, stripHeaders, stripQuery } from "../../../src/policy/credentials.ts"
import { decide } from "../../../src/policy/decide.ts"
import { parseAuthority } from "../../../src/policy/host.ts"
import { findOnce } from "../../../src/policy/once.ts"
import { canonicalPath, joinTarget } from "../../../src/policy/path.ts"
import { refuse } from "../../../src/policy/refuse.ts"
import type { RequestFacts, Route } from "../../../src/policy/types.ts"
import { malformed, type Refusal, refusalOf } from "../front/refusal.ts"
import { type Framing, frameRequest } from "../http/body.ts"
import { endToEnd, listMembers, onlyValue, valuesOf } from "../http/fields.ts"
import { BadMessage, type Header, type RequestHead } from "../http/head.ts"
import { cutAcceptEncoding } from "../redact/decode.ts"
import type { SecretSet } from "../redact/secret-set.ts"
import type { Rules } from "../rules.ts"
import type { Target } from "../upstream/target.ts"
import { readUpgrade } from "./websocket-head.ts"

/** Where a request says it goes, taken from the tunnel it is in or from its own URL. */
export interface Place {
  scheme: "https" | "http"
  /** Canonical. */
  host: string
  port: number
  /** Origin-form, as sent. */
  target: string
}

/** A request that may go out, as it will go out. */
export interface Permit {
  kind: "permit"
  facts: RequestFacts
  route: Route | undefined
  /** The rule that lets it through and is used up by it. */
  once: string | undefined
  target: Target
  framing: Framing
  /** The request line's target. */
  wireTarget: string
  /** All fields but those of this hop and of framing, as judged. */
  headers: readonly Header[]
  /** The key of the WebSocket handshake, if it is one. */
  websocketKey: string | undefined
  /** What comes back is searched for secrets. */
  redact: boolean
  expectsContinue: boolean
  /** The client said `TE: trailers`. */
  acceptsTrailers: boolean
}

/**
 * Judge one request: its framing, its name, its path, then the policy; then strip the agent's credentials and put in
 * the operator's. What comes out is all that an upstream will get. A BadMessage is thrown for what is not strict HTTP.
 */
export function judge(head: RequestHead, place: Place, rules: Rules, secrets: SecretSet): Permit | Refusal {
  const { supervise } = rules.policy
  const { scheme, host, port } = place
  const framing = frameRequest(head)
  const misnamed = checkHost(head, place, supervise)
  if (misnamed !== undefined) return misnamed
  const expect = onlyValue(head.headers, "expect")
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") return malformed("an unknown Expect", 417)
  const path = canonicalPath(place.target)
  if (path.kind === "bad") return refusalOf(refuse("bad-path", { host, why: path.why }, supervise))
  const passing = endToEnd(head.headers)
  const upgrade = readUpgrade(head, framing)
  const facts: RequestFacts = {
    ...{ scheme, host, port, method: head.method, path: path.path, query: path.query },
    // The policy rules on upgrades too; the field itself is of this hop and written anew.
    headers: upgrade.kind === "none" ? passing : [...passing, ["Upgrade", upgrade.protocol]],
  }
  const judged = decide(facts, rules.compiled)
  const once = judged.kind === "deny" ? findOnce(facts, rules.once) : undefined
  const verdict = once?.allowance ?? judged
  if (verdict.kind === "deny") return refusalOf(verdict, verdict.reason === "upgrade" ? upgrade.status : undefined)
  const { route } = verdict
  if (upgrade.kind === "other" || (upgrade.kind === "websocket" && route?.websocket !== true)) {
    return refusalOf(refuse("upgrade", facts, supervise, verdict.gate), upgrade.status)
  }
  const credential = credentialFor(route, place, secrets)
  if (credential === "missing") {
    return { ...refusalOf(refuse("secret-missing", facts, supervise)), slot: route?.auth?.token_ref ?? "" }
  }
  const stripped = stripHeaders(passing, route).headers
  const { query } = stripQuery(path.query, route)
  const redact = route?.auth !== undefined && secrets.scanner !== undefined
  const readable = redact ? keepReadable(stripped, upgrade.kind === "websocket") : stripped
  return {
    kind: "permit",
    facts,
    route,
    once: once?.id,
    target: rules.targets.of(place, route),
    framing,
    wireTarget: query === path.query ? path.wire : joinTarget(path.wirePath, query),
    headers: placeHost(readable, place, credential),
    websocketKey: upgrade.kind === "websocket" ? upgrade.key : undefined,
    redact,
    expectsContinue: expect !== undefined && framing.kind !== "none",
    acceptsTrailers: upgrade.kind === "none" && listMembers(head.headers, "te").includes("trailers"),
  }
}

/** The Host field must name what the tunnel or the URL names, port included. */
function checkHost(head: RequestHead, place: Place, supervise: boolean): Refusal | undefined {
  const value = onlyValue(head.headers, "host")
  if (value === undefined) {
    if (head.minor === 0) return undefined
    throw new BadMessage("no Host field")
  }
  const named = parseAuthority(value)
  if (named.kind === "bad") {
    return refusalOf(refuse("bad-host", { why: `the Host field: ${named.why}` }, supervise), 400)
  }
  const port = named.port ?? usualPort(place.scheme)
  if (named.host === place.host && port === place.port) return undefined
  const { host } = place
  return refusalOf(refuse("host-mismatch", { host, why: `it names ${named.host}:${port}` }, supervise))
}

const usualPort = (scheme: "https" | "http"): number => (scheme === "https" ? 443 : 80)

/** The credential of the route as a header; "missing" when its slot is empty or the way is not verified TLS. */
function credentialFor(route: Route | undefined, place: Place, secrets: SecretSet): Header | "missing" | undefined {
  if (route?.auth === undefined) return undefined
  const value = secrets.valueOf(route.auth.token_ref)
  return value === undefined || place.scheme !== "https" ? "missing" : authHeader(route.auth, value)
}

/** On routes whose answers are searched: ask for codings that we can take off, and for whole answers. */
function keepReadable(headers: readonly Header[], websocket: boolean): Header[] {
  const kept: Header[] = []
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    if (key === "range" || key === "if-range") continue
    if (websocket && key === "sec-websocket-extensions") continue
    kept.push(key === "accept-encoding" ? [name, cutAcceptEncoding(value)] : [name, value])
  }
  return kept
}

/** Write the judged host where Host stood (first, if nowhere), and the credential where the agent's own stood. */
function placeHost(headers: readonly Header[], place: Place, credential: Header | undefined): Header[] {
  const authority = place.port === usualPort(place.scheme) ? place.host : `${place.host}:${place.port}`
  const placed: Header[] = headers.map(([name, value]) => [name, name.toLowerCase() === "host" ? authority : value])
  if (valuesOf(headers, "host").length === 0) placed.unshift(["Host", authority])
  if (credential === undefined) return placed
  const name = credential[0].toLowerCase()
  return [...placed.filter(([key]) => key.toLowerCase() !== name), credential]
}
