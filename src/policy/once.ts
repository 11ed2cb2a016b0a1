import { type CompiledPolicy, compilePolicy } from "./compile.ts"
import { decide, decideConnect } from "./decide.ts"
import type { Allowance, EgressPolicy, OnceRule, RequestFacts, Verdict } from "./types.ts"

/** A rule for one request, made ready for judging. */
export interface CompiledOnce {
  rule: OnceRule
  compiled: CompiledPolicy
}

/** Each rule by itself, as if it were a policy: so it permits exactly what a route of these words would. */
export function compileOnce(policy: EgressPolicy): CompiledOnce[] {
  return (policy.once ?? []).map((rule) => {
    const alone: EgressPolicy = { routes: [rule.route], allowlist: [], log: policy.log, supervise: policy.supervise }
    return { rule, compiled: compilePolicy(alone) }
  })
}

/** The first rule that lets a request pass which the policy refuses. Whoever uses it takes the rule away at once. */
export function findOnce(
  request: RequestFacts,
  rules: readonly CompiledOnce[],
): { id: string; allowance: Allowance } | undefined {
  for (const { rule, compiled } of rules) {
    const verdict = decide(request, compiled)
    if (verdict.kind === "allow") return { id: rule.id, allowance: { ...verdict, because: `${verdict.because}, once` } }
  }
  return undefined
}

/** Whether a tunnel may be opened for such a request, which is judged in it. */
export function connectOnce(host: string, port: number, rules: readonly CompiledOnce[]): Verdict | undefined {
  for (const { compiled } of rules) {
    const verdict = decideConnect(host, port, compiled)
    if (verdict.kind === "allow") return verdict
  }
  return undefined
}
