import type { AuditFact } from "../../../src/audit/types.ts"

/** A fact of which only the action matters. */
export function fact(operator_action: string, more: Partial<AuditFact> = {}): AuditFact {
  return { component: "session", operator_action, operator_notes: "", justification: "", diff: "", ...more }
}
