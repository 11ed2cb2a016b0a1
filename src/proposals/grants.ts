import type { EgressPolicy, OnceRule, Route } from "../policy/types.ts"
import { allowHost, originKey, widenPolicy } from "../policy/widen.ts"
import type { Scope } from "./types.ts"

/** What one decision adds to the policy that a bottle was started with. */
export type Change =
  | { kind: "route"; route: Route }
  | { kind: "host"; host: string }
  | { kind: "once"; rule: OnceRule }
  /** An operator's edit, as what it said anew: routes by origin, lines of the allowlist. */
  | { kind: "edit"; put: readonly Route[]; drop: readonly string[]; list: readonly string[]; unlist: readonly string[] }

/** One decision in force. The live policy is the launch's own with the grants folded in, oldest first. */
export interface Grant {
  /** The decision's id. */
  id: string
  /** Line of the audit that says it: what `bottle undo` names. */
  seq: number
  scope: Scope
  /** ISO 8601: when it ends by itself. */
  until?: string
  change: Change
  /** What was written into a bottle's file, so that an undo can take it out. */
  saved?: SavedEdit
}

export interface SavedEdit {
  path: string
  /** SHA-256 of the whole file before and after. */
  before: string
  after: string
  /** The text that was put in, and where (UTF-16 offset). */
  inserted: string
  at: number
}

/** The policy in force: pure, so that a keeper which takes over finds the same one. */
export function composePolicy(base: EgressPolicy, grants: readonly Grant[]): EgressPolicy {
  return grants.reduce((policy, { change }) => applyChange(policy, change), base)
}

export function applyChange(policy: EgressPolicy, change: Change): EgressPolicy {
  switch (change.kind) {
    case "route":
      return widenPolicy(policy, change.route)
    case "host":
      return allowHost(policy, change.host)
    case "once":
      return { ...policy, once: [...(policy.once ?? []), change.rule] }
    case "edit":
      return applyEdit(policy, change)
  }
}

function applyEdit(policy: EgressPolicy, edit: Extract<Change, { kind: "edit" }>): EgressPolicy {
  const put = new Map(edit.put.map((route) => [originKey(route), route]))
  const kept = policy.routes
    .filter((route) => !edit.drop.includes(originKey(route)))
    .map((route) => {
      const key = originKey(route)
      const changed = put.get(key)
      put.delete(key)
      return changed ?? route
    })
  const allowlist = policy.allowlist.filter((host) => !edit.unlist.includes(host))
  return {
    ...policy,
    routes: [...kept, ...put.values()],
    allowlist: [...new Set([...allowlist, ...edit.list])],
  }
}

/** When the next grant ends, and the policy from then on; soonest first. */
export function laterPolicies(base: EgressPolicy, grants: readonly Grant[]): { at: string; policy: EgressPolicy }[] {
  const ends = [...new Set(grants.flatMap(({ until }) => until ?? []))].sort()
  return ends.map((at) => ({ at, policy: composePolicy(base, grantsAt(grants, at)) }))
}

/** The grants that are still in force at a time. */
export function grantsAt(grants: readonly Grant[], time: string): Grant[] {
  return grants.filter(({ until }) => until === undefined || until > time)
}
