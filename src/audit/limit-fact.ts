import type { AuditFact } from "./types.ts"

/** Characters of one text in an entry, and of one value in its `detail`; what is over is cut, and counted. */
const longest = { text: 128 * 1024, detail: 4 * 1024 } as const

/** A fact as it is written: no text of an agent's makes a line that is too long to read. */
export function limitFact(fact: AuditFact): AuditFact {
  const { component, operator_action, operator_notes, justification, diff, detail } = fact
  return {
    component,
    operator_action: cut(operator_action, longest.detail),
    operator_notes: cut(operator_notes, longest.text),
    justification: cut(justification, longest.text),
    diff: cut(diff, longest.text),
    ...(detail === undefined ? {} : { detail: limitDetail(detail) }),
  }
}

function limitDetail(detail: NonNullable<AuditFact["detail"]>): NonNullable<AuditFact["detail"]> {
  const entries = Object.entries(detail).map(([key, value]) => [key, limitValue(value)])
  return Object.fromEntries(entries) as NonNullable<AuditFact["detail"]>
}

/** JSON has no NaN and no infinity: they are written as words. */
function limitValue(value: string | number | boolean | null): string | number | boolean | null {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value)
  return typeof value === "string" ? cut(value, longest.detail) : value
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}…(+${text.length - max})`
}
