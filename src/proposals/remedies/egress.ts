import { canonicalHostPattern } from "../../policy/host.ts"
import { printRoute } from "../../policy/route-text.ts"
import type { Route } from "../../policy/types.ts"
import { knownRoute, onceRoute, widenPolicy } from "../../policy/widen.ts"
import type { Remedy, RemedyContext } from "./remedy.ts"

/**
 * One route to add or to join with the one of its host (SECURITY 13). A known host keeps its credential and the
 * proposal's is left out; a new host gets one only if the operator typed that host (SECURITY 19).
 */
export function egressRemedy(asked: Route, context: RemedyContext): Remedy {
  const { policy, scope, decision } = context
  const { auth, ...bare } = asked
  if (auth !== undefined && knownRoute(policy, asked) === undefined && !isTyped(asked, context.typedHost)) {
    return {
      kind: "refused",
      why: `this would send ${auth.token_ref} to ${asked.host}, which it is not used for today`,
      hint: `to do so, type the host: --with-credential-to HOST; to leave the credential out, modify the proposal`,
    }
  }
  const route = knownRoute(policy, asked) === undefined ? asked : bare
  const final = printRoute(route)
  if (widenPolicy(policy, route) === policy) return { kind: "change", final }
  if (scope.kind === "once")
    return { kind: "change", change: { kind: "once", rule: { id: decision, route: onceRoute(policy, route) } }, final }
  return { kind: "change", change: { kind: "route", route }, final }
}

function isTyped(asked: Route, typed: string | undefined): boolean {
  const pattern = typed === undefined ? undefined : canonicalHostPattern(typed.trim())
  return pattern?.kind === "pattern" && !pattern.wildcard && pattern.host === asked.host
}
