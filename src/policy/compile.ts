import { explainMatch, explainOrigin } from "./explain.ts"
import { canonicalHostPattern } from "./host.ts"
import { canonicalPath } from "./path.ts"
import { compilePattern } from "./pattern/automaton.ts"
import type { EgressPolicy, HeaderRule, PathRule, Route, RouteMatch } from "./types.ts"

/** Takes a canonical path and its other reading (`foldSlashes`); a pattern has to match both. */
export type PathTest = (path: string, folded: string) => boolean

export interface CompiledMatch {
  methods?: ReadonlySet<string>
  paths?: readonly PathTest[]
  /** Names in lower case. */
  headers?: readonly HeaderRule[]
  because: string
}

export interface CompiledRoute {
  route: Route
  /** Absent: the whole host. */
  matches?: readonly CompiledMatch[]
  /** For an Allowance by the whole host, and by `git.fetch`. */
  because: { host: string; git: string }
}

/** Something in a policy that cannot be enforced. The rule concerned permits nothing. */
export interface PolicyProblem {
  /** `routes[2].matches[0].paths[1]` */
  where: string
  why: string
}

/** A policy made ready for `decide`. Built once, never changed. */
export interface CompiledPolicy {
  readonly supervise: boolean
  /** Host to its routes (by scheme and port), in the order written. */
  readonly exact: ReadonlyMap<string, readonly CompiledRoute[]>
  /** Suffix, without `*.`, to its routes. */
  readonly wildcard: ReadonlyMap<string, readonly CompiledRoute[]>
  readonly allowedExact: ReadonlySet<string>
  readonly allowedWildcard: ReadonlySet<string>
  /** Empty for a sound policy. Whoever applies a policy should refuse it otherwise. */
  readonly problems: readonly PolicyProblem[]
}

/**
 * Builds the matcher of a policy: a map by host, a map by wildcard suffix, sets of methods, path tests. Never throws:
 * what is unsound is listed under `problems` and permits nothing.
 */
export function compilePolicy(policy: EgressPolicy): CompiledPolicy {
  const problems: PolicyProblem[] = []
  const exact = new Map<string, CompiledRoute[]>()
  const wildcard = new Map<string, CompiledRoute[]>()
  policy.routes.forEach((route, index) => {
    const where = `routes[${index}]`
    const pattern = canonicalHostPattern(route.host)
    const why = pattern.kind === "bad" ? `host: ${pattern.why}` : checkAuth(route, pattern.wildcard)
    if (pattern.kind === "bad" || why !== undefined) {
      problems.push({ where, why: why ?? "" })
      return
    }
    const table = pattern.wildcard ? wildcard : exact
    const routes = table.get(pattern.host) ?? []
    table.set(pattern.host, routes)
    routes.push(compileRoute(route, where, problems))
  })
  const [allowedExact, allowedWildcard] = compileAllowlist(policy.allowlist, problems)
  return { supervise: policy.supervise, exact, wildcard, allowedExact, allowedWildcard, problems }
}

/** A credential is added to verified TLS of one named host only (SECURITY 10). */
function checkAuth(route: Route, wildcard: boolean): string | undefined {
  if (route.auth === undefined) return undefined
  if (wildcard) return "auth: a wildcard host cannot have a credential"
  return route.scheme === "https" ? undefined : "auth: plain http cannot have a credential"
}

function compileAllowlist(lines: readonly string[], problems: PolicyProblem[]): [Set<string>, Set<string>] {
  const exact = new Set<string>()
  const wildcard = new Set<string>()
  lines.forEach((line, index) => {
    const pattern = canonicalHostPattern(line)
    if (pattern.kind === "bad") problems.push({ where: `allowlist[${index}]`, why: pattern.why })
    else (pattern.wildcard ? wildcard : exact).add(pattern.host)
  })
  return [exact, wildcard]
}

function compileRoute(route: Route, where: string, problems: PolicyProblem[]): CompiledRoute {
  const origin = explainOrigin(route)
  const because = { host: `route ${origin}, whole host`, git: `route ${origin}, git fetch` }
  if (route.matches === undefined) return { route, because }
  const matches = route.matches.map((match, index) =>
    compileMatch(match, `route ${origin}, ${explainMatch(match)}`, `${where}.matches[${index}]`, problems),
  )
  return { route, matches, because }
}

function compileMatch(match: RouteMatch, because: string, where: string, problems: PolicyProblem[]): CompiledMatch {
  const compiled: CompiledMatch = { because }
  if (match.methods !== undefined) compiled.methods = new Set(match.methods.map((method) => method.toUpperCase()))
  if (match.headers !== undefined) {
    compiled.headers = match.headers.map((rule) => ({ ...rule, name: rule.name.toLowerCase() }))
  }
  if (match.paths !== undefined) {
    compiled.paths = match.paths.flatMap((rule, index) => {
      const test = compilePath(rule)
      if (typeof test === "function") return [test]
      problems.push({ where: `${where}.paths[${index}]`, why: test })
      return []
    })
  }
  return compiled
}

/** Why a path rule cannot be enforced, for whoever validates a manifest or a proposal; nothing when it can. */
export function checkPathRule(rule: PathRule): string | undefined {
  const test = compilePath(rule)
  return typeof test === "string" ? test : undefined
}

function compilePath(rule: PathRule): PathTest | string {
  if (rule.type === "regex") {
    const pattern = compilePattern(rule.value)
    if (pattern.kind === "bad") return pattern.why
    const { matches } = pattern
    return (path, folded) => matches(path) && (folded === path || matches(folded))
  }
  const value = readRulePath(rule.value)
  if (value.kind === "bad") return value.why
  if (rule.type === "exact") return (path) => path === value.path
  // What starts with the value still does in the other reading, so one reading is enough here.
  return (path) => isBelow(path, value.path)
}

/** A rule may be written with spaces and letters as a person reads them; they mean what their escapes mean. */
function readRulePath(value: string): { kind: "path"; path: string } | { kind: "bad"; why: string } {
  const escaped = value.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent)
  const path = canonicalPath(escaped)
  if (path.kind === "bad") return path
  return escaped.includes("?") ? { kind: "bad", why: "a path rule has no query" } : path
}

/** `/a` holds `/a` and `/a/b`, never `/ab`; `/a/` holds only what is below. */
function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || prefix.endsWith("/") || path[prefix.length] === "/"
}
