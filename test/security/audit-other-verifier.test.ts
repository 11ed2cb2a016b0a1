import { beforeAll, expect, test } from "bun:test"
import { join } from "node:path"
import { verifyAudit } from "../../src/audit/verify/verify.ts"
import { crashes } from "../support/audit/crashes.ts"
import { auditAt, auditPlaces } from "../support/audit/place.ts"
import { copyOf, fillSample, tamperings } from "../support/audit/tamper.ts"
import { requirePart } from "../support/require.ts"

/** A verifier in another language, written from docs/audit.md, says the same of the same files. */

const newPlace = auditPlaces("audit-python")
const script = join(import.meta.dir, "..", "support", "audit", "verify.py")
const here = requirePart("python3") && requirePart("openssl")

interface TheirFinding {
  home: string
  log: string
  severity: string
}

const cases = here ? [...crashes, ...tamperings] : []
const homes = cases.map(() => newPlace().paths.home)
let theirs: TheirFinding[] = []

beforeAll(async () => {
  if (!here) return
  const sample = await fillSample(newPlace())
  for (const [at, { tamper }] of cases.entries()) await tamper(copyOf(sample, homes[at] ?? ""))
  const run = Bun.spawnSync(["python3", script, ...homes], { env: process.env })
  expect(run.stderr.toString()).toBe("")
  expect(run.exitCode).toBe(8)
  const lines = run.stdout.toString().split("\n").filter(Boolean)
  theirs = lines.map((line) => JSON.parse(line) as TheirFinding)
}, 300_000)

for (const [at, { name }] of cases.entries()) {
  test(`of ${name}`, async () => {
    const { paths } = auditAt(homes[at] ?? "")
    const reports = await Array.fromAsync(verifyAudit({ paths, slug: undefined, publicKey: undefined }))
    const ours = reports.flatMap(({ slug, findings }) =>
      // What is beside the files is no matter of theirs.
      findings.filter(({ text }) => !text.includes("public half")).map(({ severity }) => `${severity} ${slug}`),
    )
    const same = theirs.filter(({ home }) => home === homes[at]).map(({ severity, log }) => `${severity} ${log}`)
    expect([...new Set(same)].sort()).toEqual([...new Set(ours)].sort())
  })
}
