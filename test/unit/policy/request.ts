import { type CompiledPolicy, compilePolicy } from "../../../src/policy/compile.ts"
import type { EgressPolicy, RequestFacts, Route } from "../../../src/policy/types.ts"

/** A route for https://api.test with what the test cares about. */
export function routeOf(fields: Partial<Route> = {}): Route {
  return { host: "api.test", scheme: "https", port: 443, ...fields }
}

export function policyOf(routes: readonly Route[], fields: Partial<EgressPolicy> = {}): EgressPolicy {
  return { routes, allowlist: [], log: 0, supervise: true, ...fields }
}

export function compiledOf(routes: readonly Route[], fields: Partial<EgressPolicy> = {}): CompiledPolicy {
  return compilePolicy(policyOf(routes, fields))
}

/** GET https://api.test/ with what the test cares about. */
export function requestOf(fields: Partial<RequestFacts> = {}): RequestFacts {
  return { scheme: "https", host: "api.test", port: 443, method: "GET", path: "/", query: "", headers: [], ...fields }
}

/** Repeatable random numbers, so that a failing case can be run again. */
export function randomFrom(seed: number): { below: (bound: number) => number; pick: <T>(items: readonly T[]) => T } {
  let state = seed
  const below = (bound: number) => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * bound)
  }
  return { below, pick: (items) => items[below(items.length)]! }
}
