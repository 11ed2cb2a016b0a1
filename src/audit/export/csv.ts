import { safeText } from "../../ui/safe-text.ts"
import type { AuditEntry } from "../types.ts"

const columns = [
  ...["timestamp", "bottle_slug", "seq", "component", "operator_action", "operator_notes", "justification", "diff"],
  ...["detail", "prev_hash", "hash"],
] as const

/** RFC 4180 ends every line with CR LF; whoever prints it adds the LF. */
export const csvHeader = `${columns.join(",")}\r`

/**
 * One record of RFC 4180, every field quoted. A text that a spreadsheet would take for a formula begins with an
 * apostrophe instead, as OWASP's "CSV Injection" advises; what cannot be seen is shown as marks.
 */
export function csvLine(entry: AuditEntry): string {
  const fields: readonly string[] = [
    entry.timestamp,
    entry.bottle_slug,
    String(entry.seq),
    entry.component,
    entry.operator_action,
    entry.operator_notes,
    entry.justification,
    entry.diff,
    entry.detail === undefined ? "" : JSON.stringify(entry.detail),
    entry.prev_hash,
    entry.hash,
  ]
  return `${fields.map(csvField).join(",")}\r`
}

/** What makes a formula, in ASCII and in full width; also behind blanks and what is not seen, which some programs skip. */
const formula = /^[\s\p{Cf}]*[=+\-@＝＋－＠]|^[\t\r\n]/u

export function csvField(text: string): string {
  const shown = safeText(formula.test(text) ? `'${text}` : text, Number.POSITIVE_INFINITY, { lines: true })
  return `"${shown.replaceAll('"', '""')}"`
}
