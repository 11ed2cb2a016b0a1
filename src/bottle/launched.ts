import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import type { RuntimeRecord } from "../backends/backend.ts"
import { isSlug } from "../lib/slug.ts"

/**
 * A second copy of every bottle's runtime record, outside its state: `launched/<slug>.json`. What a bottle left, its
 * state being gone, is recognised by it and by nothing else: labels can be imitated, and another home's or user's
 * bottles have none here.
 */
const folderOf = (stateDir: string): string => join(dirname(dirname(stateDir)), "launched")
const fileOf = (stateDir: string): string => join(folderOf(stateDir), `${basename(stateDir)}.json`)

/** Replaced as a whole but not synced: it tells of processes and containers, which a sync would not outlive. */
export function noteLaunched(stateDir: string, record: RuntimeRecord): void {
  const file = fileOf(stateDir)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`)
  writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 })
  renameSync(temporary, file)
}

/** Nothing of the bottle is left. */
export function forgetLaunched(stateDir: string): void {
  rmSync(fileOf(stateDir), { force: true })
}

/** Every record that there is, by slug. One that does not parse is passed over. */
export function launchedRecords(home: string): Map<string, RuntimeRecord> {
  const found = new Map<string, RuntimeRecord>()
  for (const slug of names(join(home, "launched"))) {
    try {
      const read = JSON.parse(readFileSync(join(home, "launched", `${slug}.json`), "utf8")) as RuntimeRecord
      if (read.slug === slug && typeof read.backend === "string") found.set(slug, read)
    } catch {
      // Half written by a crash: what it was of is found by its state, or not at all.
    }
  }
  return found
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length))
      .filter(isSlug)
  } catch {
    return []
  }
}
