import { widenPolicy } from "../../policy/widen.ts"
import type { Remedy, RemedyContext } from "./remedy.ts"

/** A whole host onto the allowlist; one that is open already stays as it is. */
export function pipelockRemedy(host: string, url: string, { policy, scope }: RemedyContext): Remedy {
  if (scope.kind === "once") {
    return {
      kind: "refused",
      why: "the allowlist opens a whole host: it cannot be opened for one request",
      hint: "leave --once out, or reject it and have the agent call egress-block",
    }
  }
  const open = widenPolicy(policy, { host, scheme: "https", port: 443 }) === policy
  return open ? { kind: "change", final: url } : { kind: "change", change: { kind: "host", host }, final: url }
}
