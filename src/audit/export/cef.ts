import { version } from "../../lib/version.ts"
import { safeText } from "../../ui/safe-text.ts"
import type { AuditEntry } from "../types.ts"
import { type Weight, weigh } from "./weight.ts"

/** 0 to 10, of which 7 and more is high. */
const severities: Readonly<Record<Weight, number>> = { routine: 2, decision: 4, refusal: 5, failure: 8 }

/** Longest values that the CEF dictionary gives these keys, in characters. */
const longest = { act: 63, msg: 1023, cs: 4000 } as const

/** One event of the ArcSight Common Event Format, version 0. */
export function cefLine(entry: AuditEntry): string {
  const { component, operator_action: action } = entry
  const header = ["CEF:0", "bot-bottle", "bottle", version, `${component}:${action}`, `${component} ${action}`]
  const extension: readonly (readonly [key: string, value: string])[] = [
    ["rt", String(Date.parse(entry.timestamp))],
    ["cat", component],
    ["act", fit(action, longest.act)],
    ["cn1", String(entry.seq)],
    ["cn1Label", "seq"],
    ["cs1", entry.bottle_slug],
    ["cs1Label", "bottle"],
    ["msg", fit(entry.operator_notes, longest.msg)],
    ["cs2", fit(entry.justification, longest.cs)],
    ["cs2Label", "justification"],
    ["cs3", fit(entry.diff, longest.cs)],
    ["cs3Label", "diff"],
    ["cs4", fit(entry.detail === undefined ? "" : JSON.stringify(entry.detail), longest.cs)],
    ["cs4Label", "detail"],
    ["cs5", entry.prev_hash],
    ["cs5Label", "prevHash"],
    ["cs6", entry.hash],
    ["cs6Label", "hash"],
  ]
  const told = extension.filter(([key], at) => {
    const value = key.endsWith("Label") ? extension[at - 1]?.[1] : extension[at]?.[1]
    return value !== ""
  })
  const fields = [...header.map((text) => cefHeader(fit(text, longest.msg))), String(severities[weigh(entry)])]
  return `${fields.join("|")}|${told.map(([key, value]) => `${key}=${cefValue(value)}`).join(" ")}`
}

/** In the header a backslash and a bar are escaped, and there is no line break. */
export function cefHeader(text: string): string {
  return safeText(text, Number.POSITIVE_INFINITY).replaceAll(/[\\|]/g, "\\$&")
}

/** In a value a backslash, an equals sign and line breaks are. A bar is not. */
export function cefValue(text: string): string {
  const shown = safeText(text, Number.POSITIVE_INFINITY, { lines: true })
  return shown.replaceAll(/[\\=]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", " ")
}

/** Cut so that the count of what is left out still fits. */
function fit(text: string, max: number): string {
  return text.length <= max ? text : safeText(text, max - 12, { lines: true })
}
