import { headName } from "../audit/head-log.ts"
import type { AuditEntry } from "../audit/types.ts"
import type { LogReport } from "../audit/verify/finding.ts"
import { safeText } from "./safe-text.ts"
import { wrapText } from "./wrap.ts"

const indent = 4
/** Characters shown of one text and of one value; the log has all of it. */
const longest = { text: 1_000, value: 300 } as const
/** Lines shown of a diff. */
const mostDiffLines = 40

/** An entry for a person: when, which bottle and what happened on one line, the rest below it. */
export function entryLines(entry: AuditEntry): string[] {
  const { timestamp, bottle_slug: slug, seq, component, operator_action: action } = entry
  const when = timestamp.replace("T", " ").replace(/\.\d+Z$/, "Z")
  const first = `${when}  ${slug} #${seq}  ${component} ${safeText(action, 60)}`
  return [
    safeText(first),
    ...words("notes", entry.operator_notes),
    ...words("asked", entry.justification),
    ...details(entry),
    ...diffLines(entry.diff),
  ]
}

function words(name: string, text: string): string[] {
  return text === "" ? [] : wrapText(`${" ".repeat(indent)}${name}: ${safeText(text, longest.text)}`, indent + 2)
}

function details({ component, detail }: AuditEntry): string[] {
  const entries = Object.entries(detail ?? {}).filter(([, value]) => value !== null && value !== "")
  // Twenty-odd probes that went well say no more than that they did.
  const told = component === "fence" && detail?.ok === true ? entries.filter(([key]) => key === "probes") : entries
  const text = told.map(([key, value]) => shown(key, String(value))).join("  ")
  return text === "" ? [] : wrapText(`${" ".repeat(indent)}${text}`, indent)
}

function shown(key: string, value: string): string {
  const refusals = key === "refusals" ? refusalWords(value) : undefined
  return refusals ?? `${key}=${safeText(value, longest.value)}`
}

/** The refusals that a keeper counted, most first; undefined: that is not what this is. */
function refusalWords(json: string): string | undefined {
  try {
    const all = JSON.parse(json) as { gate: string; reason: string; host: string; count: number }[]
    return all
      .map(({ gate, reason, host, count }) => `${count} x ${safeText(`${host} (${gate} ${reason})`)}`)
      .join(", ")
  } catch {
    return undefined
  }
}

function diffLines(diff: string): string[] {
  if (diff === "") return []
  const all = diff.replace(/\n$/, "").split("\n")
  const shown = all.slice(0, mostDiffLines).map((line) => `${" ".repeat(indent)}${safeText(line, longest.value)}`)
  return all.length > mostDiffLines ? [...shown, `${" ".repeat(indent)}…(+${all.length - mostDiffLines} lines)`] : shown
}

/** One line a log, and one a finding. A head that is as it should be needs none. */
export function reportLines({ slug, entries, findings }: LogReport): string[] {
  if (slug === headName && findings.length === 0) return []
  const bad = findings.some(({ severity }) => severity === "tampering")
  const name = slug === headName ? "head.jsonl (the signed head of all)" : safeText(slug)
  const state = bad ? "BROKEN" : findings.length > 0 ? "ok, but" : "ok"
  const count = `${entries} ${entries === 1 ? "entry" : "entries"}`
  if (findings.length === 0) return [`${state.padEnd(7)}  ${name}  ${count}`]
  return findings.map(({ text }) => `${state.padEnd(7)}  ${name}  ${safeText(text)}`)
}

/** What it comes to. */
export function summary(reports: readonly LogReport[]): string {
  const logs = reports.filter(({ slug }) => slug !== headName)
  const broken = reports.filter(({ findings }) => findings.some(({ severity }) => severity === "tampering")).length
  if (broken > 0)
    return `the audit is not as it was written: ${broken} of ${reports.length} files; keep a copy before anything else`
  if (logs.length === 0) return "nothing is recorded"
  const last = reports.find(({ slug }) => slug === headName)?.last ?? ""
  return `nothing was changed; to know this state again, keep: ${last.slice(0, 16)}`
}
