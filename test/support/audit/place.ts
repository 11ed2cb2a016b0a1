import { afterAll } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Act } from "../../../src/audit/act.ts"
import { type AuditPen, openAudit } from "../../../src/audit/open.ts"
import type { AuditEntry } from "../../../src/audit/types.ts"
import { tempDir } from "../temp.ts"
import { fact } from "./fact.ts"

/** For a test file: makes audits that are closed, and go, with it. */
export function auditPlaces(name: string): () => AuditPlace {
  const pens: AuditPen[] = []
  afterAll(async () => {
    for (const pen of pens) await pen.close().catch(() => undefined)
  })
  const root = tempDir(name)
  let count = 0
  return () => auditAt(join(root, String(count++)), (pen) => pens.push(pen))
}

export type AuditPlace = ReturnType<typeof auditAt>

/** An audit in a directory of its own. */
export function auditAt(home: string, opened: (pen: AuditPen) => void = () => undefined) {
  const paths = { home, audit: join(home, "audit"), keys: join(home, "keys") }
  const log = (name: string) => join(paths.audit, `${name}.jsonl`)
  const lines = (name: string) => readFileSync(log(name), "utf8").split("\n").slice(0, -1)
  const pen = (slug: string, act?: Act, now?: () => Date): AuditPen => {
    const one = openAudit({ paths, ...(act && { act }), ...(now && { now }) }, slug)
    opened(one)
    return one
  }
  return {
    paths,
    pen,
    log,
    lines,
    entries: (slug: string) => lines(slug).map((line) => JSON.parse(line) as AuditEntry),
    async write(slug: string, ...actions: string[]): Promise<AuditEntry[]> {
      const one = pen(slug)
      const written: AuditEntry[] = []
      for (const action of actions) written.push(await one.append(fact(action)))
      await one.close()
      return written
    },
  }
}
