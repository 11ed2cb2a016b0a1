import { existsSync, statSync } from "node:fs"
import { logPath } from "./bottle-log.ts"
import { type ReadEntry, readEntry } from "./read-entry.ts"
import { readRawLines } from "./read-lines.ts"
import type { AuditComponent, AuditEntry } from "./types.ts"
import { loggedSlugs } from "./verify/verify.ts"

export interface Selection {
  slug: string | undefined
  component: AuditComponent | undefined
  since: Date | undefined
}

export interface Selected {
  /** Of which bottles there is a log, by name. */
  slugs: string[]
  /** Entries, bottle by bottle, as the files have them: read while they are taken. */
  entries(): Generator<ReadEntry>
  /** Lines so far that are no entries. */
  unreadable(): number
}

/** The entries of one bottle, or of all, as they lie there. Checks no signature. */
export function selectEntries(audit: string, { slug, component, since }: Selection): Selected {
  const all = slug === undefined ? loggedSlugs(audit).sort() : [slug]
  const slugs = all.filter((one) => existsSync(logPath(audit, one)))
  let unreadable = 0
  const wanted = ({ entry }: ReadEntry) =>
    (component === undefined || entry.component === component) &&
    (since === undefined || Date.parse(entry.timestamp) >= since.getTime())
  return {
    slugs,
    unreadable: () => unreadable,
    *entries() {
      for (const one of slugs) {
        const path = logPath(audit, one)
        for (const { kind, bytes } of readRawLines(path, statSync(path).size)) {
          const read = kind === "line" ? readEntry(bytes) : undefined
          if (read === undefined) unreadable += 1
          else if (wanted(read)) yield read
        }
      }
    },
  }
}

/** All of them, newest last; those of one bottle keep their order whatever its clock did. */
export function byTime(entries: Iterable<ReadEntry>): AuditEntry[] {
  let slug = ""
  let latest = ""
  const timed = Array.from(entries, ({ entry }) => {
    latest = entry.bottle_slug === slug && entry.timestamp < latest ? latest : entry.timestamp
    slug = entry.bottle_slug
    return { entry, at: latest }
  })
  return timed.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map(({ entry }) => entry)
}
