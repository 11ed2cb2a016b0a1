/**
 * The policy of one bottle's traffic, as data. The words are those of the manifest, of proposals and of
 * `bottle routes show`, so that a rule reads the same wherever it is seen.
 */

export interface PathRule {
  /** `prefix` ends at a segment boundary, `regex` is anchored at both ends (SECURITY 12). */
  type: "prefix" | "exact" | "regex"
  value: string
}

export interface HeaderRule {
  name: string
  /** Exact value; absent: the header must be present. */
  value?: string
}

/** All given dimensions must match; an absent dimension matches everything. */
export interface RouteMatch {
  paths?: readonly PathRule[]
  methods?: readonly string[]
  headers?: readonly HeaderRule[]
}

export interface RouteAuth {
  /** `Bearer`, `token`, `Basic`, or `header:<Name>`. */
  scheme: string
  /** Name of a slot: where the operator's secret is found. Never a value. */
  token_ref: string
}

export interface Route {
  /** Canonical host, or `*.` and a canonical host for its subdomains. */
  host: string
  /** Default `https`. */
  scheme: "https" | "http"
  /** Default 443, or 80 for `http`. */
  port: number
  /** Any entry may match. Absent: the whole host. Empty: nothing (only the connection fields matter). */
  matches?: readonly RouteMatch[]
  auth?: RouteAuth
  /** Credential headers or query parameters of the agent's that pass on a route with `auth` (SECURITY 11). */
  keep_headers?: readonly string[]
  /** Git smart HTTP: `fetch: true` lets upload-pack through; pushes go through git-gate. */
  git?: { fetch?: boolean }
  dlp?: Readonly<Record<string, unknown>>
  /** Dial addresses that are not globally routable. */
  allow_private?: boolean
  /** `address`, `host:port` or `address:port` to dial instead; the name in TLS and Host stays. */
  connect_to?: string
  /** PEM text of one more CA for this host. (In a manifest: the path of such a file.) */
  ca?: string
  /** WebSocket upgrades pass. */
  websocket?: boolean
}

/** What egress and pipelock enforce. Its hash (`hashPolicy`) is what a decision and an acknowledgement name. */
export interface EgressPolicy {
  routes: readonly Route[]
  /** pipelock: whole hosts without a route. */
  allowlist: readonly string[]
  /** 0 refusals and errors, 1 one line a request, 2 also headers (never a secret). */
  log: 0 | 1 | 2
  /** `http://host:port` of a further proxy. */
  upstream_proxy?: string
  /** Whether the supervise tools exist, so that a refusal may name them. */
  supervise: boolean
  /** Requests that may pass once; absent for none. */
  once?: readonly OnceRule[]
}

/** One request that may pass although nothing else lets it: the first one that the route permits takes the rule away. */
export interface OnceRule {
  /** Of the decision; used up for ever once it was consumed. */
  id: string
  route: Route
}

/** One request, as the gate sees it. Built by the proxy from bytes it has parsed strictly. */
export interface RequestFacts {
  scheme: "https" | "http"
  /** Canonical (`canonicalHost`). */
  host: string
  port: number
  method: string
  /** Canonical path without the query (`canonicalPath`). */
  path: string
  /** The query as received, without `?` ("" when there is none). Absent: unknown, so git discovery is refused. */
  query?: string
  /** In wire order; names in any case. */
  headers: readonly (readonly [name: string, value: string])[]
}

/** Stable names of why a request was refused. */
export type DenyReason =
  | "unlisted-host"
  | "wrong-port"
  | "wrong-scheme"
  | "no-match"
  | "bad-host"
  | "bad-path"
  | "bad-request"
  | "forbidden-method"
  | "upgrade"
  | "git-push"
  | "private-address"
  | "resolve-failed"
  | "secret-missing"
  | "sni-mismatch"
  | "host-mismatch"
  | "internal-error"

export interface Denial {
  kind: "deny"
  gate: "egress" | "pipelock"
  reason: DenyReason
  /** One sentence for the agent and the log: what was refused and why. */
  message: string
  /** What the agent can do: one or two sentences. */
  remedy: string
}

export interface Allowance {
  kind: "allow"
  gate: "egress" | "pipelock"
  /** Absent for an allowlisted host without a route. */
  route?: Route
  /** The rule that let it through, in words. */
  because: string
}

export type Verdict = Allowance | Denial
