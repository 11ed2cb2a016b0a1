import { mkdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Write down what nobody planned; returns where. A temporary file where the logs cannot be written. */
export function writeCrash(logs: string, error: unknown): string {
  const text = `${new Date().toISOString()}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`
  const path = join(logs, "dashboard-crash.log")
  try {
    mkdirSync(logs, { recursive: true, mode: 0o700 })
    writeFileSync(path, text, { mode: 0o600 })
    return path
  } catch {
    const other = join(tmpdir(), `bottle-dashboard-crash-${process.pid}.log`)
    // A name that is there already may be anybody's link.
    writeFileSync(other, text, { mode: 0o600, flag: "wx" })
    return other
  }
}
