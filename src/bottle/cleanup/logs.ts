import { existsSync, readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Paths } from "../../lib/paths.ts"
import { isSlug } from "../../lib/slug.ts"

export interface OldLogs {
  slug: string
  /** Whole days since the last line. */
  days: number
}

/** Logs of bottles that have no state any more and whose last line is older than so many seconds. */
export function oldLogs(paths: Paths, seconds: number, now = Date.now()): OldLogs[] {
  return slugsIn(paths.logs).flatMap((slug) => {
    if (existsSync(paths.state(slug))) return []
    const age = now - newest(join(paths.logs, slug))
    return age > seconds * 1000 ? [{ slug, days: Math.floor(age / 86_400_000) }] : []
  })
}

export function removeLogs(paths: Paths, slug: string): void {
  rmSync(join(paths.logs, slug), { recursive: true, force: true })
}

/** Hold `retention.logs` of the settings. What cannot be removed stays for the next time. */
export function holdRetention(paths: Paths, seconds: number): void {
  for (const { slug } of oldLogs(paths, seconds)) {
    try {
      removeLogs(paths, slug)
    } catch {
      // `bottle cleanup` says why.
    }
  }
}

/** When anything in a directory was last written, in ms since the epoch. */
function newest(dir: string): number {
  const times = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return times.length === 0 ? statSync(dir).mtimeMs : Math.max(...times)
}

function slugsIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isSlug(entry.name))
      .map(({ name }) => name)
  } catch {
    return []
  }
}
