import type { CompiledMatch, CompiledPolicy, CompiledRoute } from "./compile.ts"
import { classifyGit, type GitUse } from "./git.ts"
import { findAmbiguity, foldSlashes } from "./path.ts"
import { type Refused, refuse } from "./refuse.ts"
import type { Allowance, Denial, RequestFacts, Verdict } from "./types.ts"

type Place = Pick<RequestFacts, "scheme" | "host" | "port">

const forbiddenMethods: ReadonlySet<string> = new Set(["TRACE", "TRACK", "CONNECT"])
const methodToken = /^[A-Z][A-Z0-9_-]*$/

/**
 * Judges one request. Pure and total: whatever goes wrong inside is a denial. A host with a route is judged by its
 * routes alone (the exact host before any wildcard, the longest wildcard before a shorter one); a host that is only on
 * the allowlist passes whole, on https and port 443.
 */
export function decide(request: RequestFacts, policy: CompiledPolicy): Verdict {
  try {
    return checkRequest(request, policy) ?? judgeHost(request, policy)
  } catch {
    return failClosed()
  }
}

/**
 * Judges a CONNECT, before any path is known: whether this host may be reached on this port at all. Every request in
 * the tunnel is judged again by `decide`. The route in the allowance is the first of that port, https before http.
 */
export function decideConnect(host: string, port: number, policy: CompiledPolicy): Verdict {
  try {
    const routes = findRoutes(host, policy)
    if (routes === undefined) return judgeAllowlist({ scheme: "https", host, port }, policy, { host, port }, "other")
    const onPort = routes.filter(({ route }) => route.port === port)
    const found = onPort.find(({ route }) => route.scheme === "https") ?? onPort[0]
    if (found === undefined) return refuse("wrong-port", { host, port }, policy.supervise)
    return { kind: "allow", gate: "egress", route: found.route, because: `a route for ${host} on port ${port}` }
  } catch {
    return failClosed()
  }
}

function failClosed(): Denial {
  return refuse("internal-error", {}, false)
}

/** What no rule can permit. */
function checkRequest(request: RequestFacts, policy: CompiledPolicy): Denial | undefined {
  const { method, path } = request
  if (!methodToken.test(method)) {
    return refuse("bad-request", { why: "the method is not a word in upper case" }, policy.supervise)
  }
  if (forbiddenMethods.has(method)) return refuse("forbidden-method", request, policy.supervise)
  // The proxy hands over canonical paths; one that is not would be judged by a reading the server may not share.
  const why = path.startsWith("/") ? findAmbiguity(path) : "it does not start with a slash"
  return why === undefined ? undefined : refuse("bad-path", { why }, policy.supervise)
}

function judgeHost(request: RequestFacts, policy: CompiledPolicy): Verdict {
  const routes = findRoutes(request.host, policy)
  const git = classifyGit(request)
  const verdict =
    routes === undefined
      ? judgeAllowlist(request, policy, aboutOf(request), git)
      : judgeRoutes(request, routes, policy, git)
  return verdict.kind === "deny" ? verdict : checkUpgrade(request, verdict, policy)
}

function judgeRoutes(
  request: RequestFacts,
  routes: readonly CompiledRoute[],
  policy: CompiledPolicy,
  git: GitUse,
): Verdict {
  const { scheme, port } = request
  const here = routes.filter(({ route }) => route.scheme === scheme && route.port === port)
  if (here.length === 0) {
    const reason = routes.some(({ route }) => route.scheme === scheme) ? "wrong-port" : "wrong-scheme"
    return refuse(reason, aboutOf(request), policy.supervise)
  }
  // A push is refused by its own name, so that its remedy is git-gate and not a wider route.
  if (git === "push") return refuse("git-push", aboutOf(request), policy.supervise)
  const folded = foldSlashes(request.path)
  for (const compiled of here) {
    const because = findPermission(request, folded, git === "fetch", compiled)
    if (because !== undefined) return { kind: "allow", gate: "egress", route: compiled.route, because }
  }
  return refuse("no-match", aboutOf(request), policy.supervise)
}

function findPermission(
  request: RequestFacts,
  folded: string,
  fetches: boolean,
  { route, matches, because }: CompiledRoute,
): string | undefined {
  if (matches === undefined) return because.host
  if (fetches && route.git?.fetch === true) return because.git
  for (const match of matches) if (permits(match, request, folded)) return match.because
  return undefined
}

function permits(match: CompiledMatch, request: RequestFacts, folded: string): boolean {
  if (match.methods !== undefined && !match.methods.has(request.method)) return false
  if (match.paths !== undefined && !match.paths.some((test) => test(request.path, folded))) return false
  return match.headers === undefined || match.headers.every((rule) => hasHeader(request, rule.name, rule.value))
}

/** A header that comes twice must have the value both times: servers disagree on which one counts. */
function hasHeader(request: RequestFacts, name: string, value: string | undefined): boolean {
  const values = request.headers.filter(([given]) => given.toLowerCase() === name)
  return values.length > 0 && (value === undefined || values.every(([, given]) => given === value))
}

function judgeAllowlist(place: Place, policy: CompiledPolicy, about: Refused, git: GitUse): Verdict {
  const { scheme, host, port } = place
  if (!isAllowlisted(host, policy)) return refuse("unlisted-host", about, policy.supervise)
  if (scheme !== "https") return refuse("wrong-scheme", about, policy.supervise, "pipelock")
  if (port !== 443) return refuse("wrong-port", about, policy.supervise, "pipelock")
  if (git === "push") return refuse("git-push", about, policy.supervise)
  return { kind: "allow", gate: "pipelock", because: `${host} is on the allowlist` }
}

/** An upgraded connection is no longer HTTP, so only a WebSocket on a route that says so may become one. */
function checkUpgrade(request: RequestFacts, allowance: Allowance, policy: CompiledPolicy): Verdict {
  for (const [name, value] of request.headers) {
    if (name.length !== 7 || name.toLowerCase() !== "upgrade") continue
    const permitted = allowance.route?.websocket === true && value.trim().toLowerCase() === "websocket"
    if (!permitted || request.method !== "GET") return refuse("upgrade", aboutOf(request), policy.supervise)
  }
  return allowance
}

function findRoutes(host: string, policy: CompiledPolicy): readonly CompiledRoute[] | undefined {
  const exact = policy.exact.get(host)
  if (exact !== undefined || policy.wildcard.size === 0) return exact
  for (let dot = host.indexOf("."); dot > 0; dot = host.indexOf(".", dot + 1)) {
    const routes = policy.wildcard.get(host.slice(dot + 1))
    if (routes !== undefined) return routes
  }
  return undefined
}

function isAllowlisted(host: string, policy: CompiledPolicy): boolean {
  if (policy.allowedExact.has(host)) return true
  if (policy.allowedWildcard.size === 0) return false
  for (let dot = host.indexOf("."); dot > 0; dot = host.indexOf(".", dot + 1)) {
    if (policy.allowedWildcard.has(host.slice(dot + 1))) return true
  }
  return false
}

function aboutOf({ scheme, host, port, method, path }: RequestFacts): Refused {
  return { scheme, host, port, method, path }
}
