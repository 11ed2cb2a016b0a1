import { type CompiledPolicy, compilePolicy } from "../../src/policy/compile.ts"
import { explainRoute } from "../../src/policy/explain.ts"
import { hashPolicy } from "../../src/policy/hash.ts"
import { type CompiledOnce, compileOnce } from "../../src/policy/once.ts"
import type { EgressPolicy } from "../../src/policy/types.ts"
import { createTargets, type Targets } from "./upstream/target.ts"

/** A policy in force: as written, made ready for judging, and how its upstreams are dialled. */
export interface Rules {
  readonly policy: EgressPolicy
  readonly hash: string
  readonly compiled: CompiledPolicy
  /** Rules that one request uses up (SECURITY 25). */
  readonly once: readonly CompiledOnce[]
  readonly targets: Targets
}

/** Make a policy ready. Throws when any part of it cannot be enforced: then nothing of it is applied. */
export function prepareRules(policy: EgressPolicy): Rules {
  const compiled = compilePolicy(policy)
  const once = compileOnce(policy)
  const [problem] = [compiled, ...once.map((one) => one.compiled)].flatMap(({ problems }) => problems)
  if (problem !== undefined) throw new Error(`the policy cannot be enforced: ${problem.where}: ${problem.why}`)
  return { policy, hash: hashPolicy(policy), compiled, once, targets: createTargets(policy) }
}

/** What a bottle may reach, in words for its agent: no slot, no address, no authority. */
export function describeRules({ policy }: Rules): string {
  const routes = policy.routes.map((route) => explainRoute(route))
  const hosts = policy.allowlist.map((host) => `https://${host}: whole host (allowlist)`)
  const lines = [...routes, ...hosts]
  return lines.length === 0 ? "nothing is permitted\n" : `${lines.join("\n")}\n`
}
