import { canonicalJson } from "./canonical-json.ts"
import { canonicalHostPattern } from "./host.ts"
import type { Route } from "./types.ts"

export type ConflictField = "auth" | "connect_to" | "ca" | "dlp"

export type United =
  | { kind: "united"; routes: readonly Route[] }
  | { kind: "conflict"; host: string; field: ConflictField }

const singular: readonly ConflictField[] = ["auth", "connect_to", "ca", "dlp"]

/**
 * Joins two lists of routes (SECURITY 13). Routes of one host, scheme and port become one, at the first one's place:
 * `matches` entries are appended, never multiplied, duplicates dropped; absent matches mean everything. What either
 * says about the host as a whole (auth, connect_to, ca, dlp) is kept; two different values are a conflict, and so is a
 * credential that would newly go to what only the other route permits, which says none. `git.fetch`, `websocket`,
 * `allow_private` and `keep_headers` hold for the host when either has them.
 */
export function uniteRoutes(a: readonly Route[], b: readonly Route[]): United {
  const united = new Map<string, Route>()
  for (const route of [...a, ...b]) {
    const key = keyOf(route)
    const earlier = united.get(key)
    const joined = earlier === undefined ? route : joinTwo(earlier, route)
    if (typeof joined === "string") return { kind: "conflict", host: route.host, field: joined }
    united.set(key, joined)
  }
  return { kind: "united", routes: [...united.values()] }
}

function keyOf(route: Route): string {
  const pattern = canonicalHostPattern(route.host)
  const host = pattern.kind === "bad" ? route.host : `${pattern.wildcard ? "*." : ""}${pattern.host}`
  return `${route.scheme}://${host}:${route.port}`
}

function joinTwo(earlier: Route, later: Route): Route | ConflictField {
  const field = singular.find((name) => differs(earlier[name], later[name]))
  if (field !== undefined) return field
  if (earlier.auth === undefined && later.auth !== undefined && permitsAnything(earlier)) return "auth"
  if (earlier.auth !== undefined && later.auth === undefined && permitsMore(later, earlier)) return "auth"

  const { matches: _earlier, ...first } = earlier
  const { matches: _later, ...second } = later
  const joined: Route = { ...second, ...first }
  const matches = joinMatches(earlier, later)
  if (matches !== undefined) joined.matches = matches
  if (earlier.git?.fetch || later.git?.fetch) joined.git = { fetch: true }
  if (earlier.websocket || later.websocket) joined.websocket = true
  if (earlier.allow_private || later.allow_private) joined.allow_private = true
  const kept = [...(earlier.keep_headers ?? []), ...(later.keep_headers ?? [])]
  if (kept.length > 0) joined.keep_headers = dropRepeated(kept, (name) => name.toLowerCase())
  return joined
}

/** `matches` of both, nothing multiplied, nothing twice; absent: everything. */
export function joinMatches(earlier: Pick<Route, "matches">, later: Pick<Route, "matches">): Route["matches"] {
  if (earlier.matches === undefined || later.matches === undefined) return undefined
  return dropRepeated([...earlier.matches, ...later.matches], canonicalJson)
}

function dropRepeated<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>()
  return items.filter((item) => {
    const key = keyOf(item)
    return seen.has(key) ? false : seen.add(key)
  })
}

function differs(one: unknown, other: unknown): boolean {
  return one !== undefined && other !== undefined && canonicalJson(one) !== canonicalJson(other)
}

/** Whether a route permits, as it is written, what another does not. */
function permitsMore(route: Route, than: Route): boolean {
  if (route.git?.fetch === true && than.git?.fetch !== true && than.matches !== undefined) return true
  if (than.matches === undefined || route.matches?.length === 0) return false
  const known = new Set(than.matches.map(canonicalJson))
  return route.matches === undefined || route.matches.some((match) => !known.has(canonicalJson(match)))
}

function permitsAnything(route: Route): boolean {
  return route.matches === undefined || route.matches.length > 0 || route.git?.fetch === true
}
