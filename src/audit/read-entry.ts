import { openLine } from "./line.ts"
import type { AuditEntry } from "./types.ts"

/** An entry as somebody who looks at the log gets it. Whether it is authentic, `verify` says. */
export interface ReadEntry {
  entry: AuditEntry
  /** The line's text. */
  text: string
}

const texts = ["timestamp", "bottle_slug", "component", "operator_action", "operator_notes", "justification", "diff"]

/** Read a line; undefined for what has not the shape of an entry. */
export function readEntry(line: Buffer): ReadEntry | undefined {
  const opened = openLine(line)
  if (opened === undefined) return undefined
  const { content, signature, hash } = opened
  const { seq, prev_hash: prev, timestamp, detail } = content
  const shaped = texts.every((key) => typeof content[key] === "string") && typeof seq === "number"
  if (!shaped || typeof prev !== "string" || Number.isNaN(Date.parse(String(timestamp)))) return undefined
  if (detail !== undefined && (typeof detail !== "object" || detail === null)) return undefined
  return { entry: { ...(content as unknown as AuditEntry), signature, hash }, text: line.toString("utf8") }
}
