import { closeSync, fstatSync, openSync, readSync } from "node:fs"

/** Bytes at the end of a log among which an entry of the last decision is looked for. */
const looked = 8 * 1024 ** 2

/** The number of the audit entry that a decision made, or undefined when it made none. */
export function findRecorded(log: string, decision: string): number | undefined {
  // Without what is behind the last line feed: a line that was not finished is no entry.
  for (const line of tailOf(log).split("\n").slice(0, -1).reverse()) {
    if (!line.includes(decision)) continue
    try {
      const entry = JSON.parse(line) as { seq?: unknown; detail?: { decision?: unknown } }
      if (entry.detail?.decision === decision && typeof entry.seq === "number") return entry.seq
    } catch {
      // The line on which an earlier keeper was killed: nobody was told of it.
    }
  }
  return undefined
}

/** The end of a file as text, "" when it is not there. */
export function tailOf(path: string, bytes: number = looked): string {
  let file: number
  try {
    file = openSync(path, "r")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ""
    throw error
  }
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, bytes))
    const length = readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.subarray(0, length).toString("utf8")
  } finally {
    closeSync(file)
  }
}
