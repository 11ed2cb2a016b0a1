import type { AuditEntry } from "../types.ts"

/** How much an entry should weigh with whoever watches. */
export type Weight = "routine" | "decision" | "refusal" | "failure"

const decisions = new Set(["approve", "modify", "reject", "undo", "operator-edit", "expire"])

export function weigh({ component, operator_action: action, detail }: AuditEntry): Weight {
  if (action === "launch-failed" || action === "closed" || action === "repair") return "failure"
  if (component === "fence" && detail?.ok === false) return "failure"
  if (action === "refused") return "refusal"
  return decisions.has(action) ? "decision" : "routine"
}

/** Did what the entry tells of fail? */
export const hasFailed = (entry: AuditEntry): boolean => weigh(entry) === "failure"
