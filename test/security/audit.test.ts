import { expect, test } from "bun:test"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tampered } from "../../src/audit/verify/finding.ts"
import { loggedSlugs, verifyAudit } from "../../src/audit/verify/verify.ts"
import { crashes } from "../support/audit/crashes.ts"
import { type AuditPlace, auditPlaces } from "../support/audit/place.ts"
import { copyOf, fillSample, tamperings } from "../support/audit/tamper.ts"

/** Whoever can write into the audit but has not its key is found out; what a crash leaves is no accusation. */

const newPlace = auditPlaces("audit-attacks")
const sample = fillSample(newPlace())

async function verify(place: AuditPlace, slug?: string) {
  const reports = await Array.fromAsync(verifyAudit({ paths: place.paths, slug, publicKey: undefined }))
  const findings = reports.flatMap(({ findings: all }) => all)
  return { reports, tampered: reports.some(tampered), text: findings.map(({ text }) => text).join("\n") }
}

for (const { name, says, tamper } of tamperings) {
  test(`finds ${name}`, async () => {
    const place = copyOf(await sample, newPlace().paths.home)
    await tamper(place)
    const found = await verify(place)
    expect(found.text).toMatch(says)
    expect(found.tampered).toBe(true)
  })
}

for (const { name, says, tamper } of crashes) {
  test(`does not accuse anybody of ${name}`, async () => {
    const place = copyOf(await sample, newPlace().paths.home)
    await tamper(place)
    const found = await verify(place)
    expect(found.text).toMatch(says)
    expect(found.tampered).toBe(false)
    // And a keeper goes on from there.
    for (const slug of loggedSlugs(place.paths.audit)) await place.write(slug, "resume")
    expect(await verify(place)).toMatchObject({ tampered: false, text: "" })
  })
}

test("one bottle's check leaves the others alone", async () => {
  const place = copyOf(await sample, newPlace().paths.home)
  writeFileSync(place.log("a-11111"), "")
  expect((await verify(place, "b-22222")).tampered).toBe(false)
  expect((await verify(place, "a-11111")).tampered).toBe(true)
})

test("every single byte of every file counts", async () => {
  const place = copyOf(await sample, newPlace().paths.home)
  const files = readdirSync(place.paths.audit)
  let tried = 0
  for (const name of files) {
    const path = join(place.paths.audit, name)
    const good = readFileSync(path)
    for (let at = 0; at < good.length; at += 1 + ((at * 7) % 5)) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(path, bad)
      tried += 1
      if (!(await verify(place)).tampered) throw new Error(`byte ${at} of ${name} was changed, and nobody saw it`)
    }
    writeFileSync(path, good)
  }
  console.log(`single bytes changed in ${files.length} files of the audit: ${tried}, each found`)
  expect(tried).toBeGreaterThan(3000)
  expect((await verify(place)).tampered).toBe(false)
}, 300_000)
