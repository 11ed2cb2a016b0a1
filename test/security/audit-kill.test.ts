import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { appendFileSync, existsSync } from "node:fs"
import { join } from "node:path"
import type { Finding } from "../../src/audit/verify/finding.ts"
import { verifyAudit } from "../../src/audit/verify/verify.ts"
import { type AuditPlace, auditPlaces } from "../support/audit/place.ts"
import { copyOf, fillSample } from "../support/audit/tamper.ts"

/** A writer that is killed before or after any change to the disk loses nothing it was told of, and accuses nobody. */

setDefaultTimeout(300_000)
const newPlace = auditPlaces("audit-kill")
const writer = join(import.meta.dir, "..", "support", "audit", "write-and-die.ts")

/** Run the writer; `step` 0 lets it live. */
async function run(place: AuditPlace, step: number, when: "before" | "after", actions: readonly string[]) {
  const child = Bun.spawn([process.execPath, writer, place.paths.home, "a-11111", String(step), when, ...actions], {
    stdout: "pipe",
    stderr: "pipe",
    env: process.env,
  })
  const [told, steps] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  await child.exited
  const lines = (text: string) => text.split("\n").filter(Boolean)
  return { told: lines(told), steps: lines(steps), killed: child.signalCode === "SIGKILL" }
}

async function findings(place: AuditPlace): Promise<Finding[]> {
  const wish = { paths: place.paths, slug: undefined, publicKey: undefined }
  return (await Array.fromAsync(verifyAudit(wish))).flatMap((report) => report.findings)
}

const hashes = (place: AuditPlace) =>
  (existsSync(place.log("a-11111")) ? place.entries("a-11111") : []).map((e) => e.hash)

interface Beginning {
  name: string
  make(): Promise<AuditPlace>
}

const beginnings: readonly Beginning[] = [
  { name: "the first entry of an installation", make: async () => newPlace() },
  { name: "a log that goes on", make: () => fillSample(newPlace()) },
  {
    name: "a log and a head that are torn",
    make: async () => {
      const place = await fillSample(newPlace())
      appendFileSync(place.log("a-11111"), '{"bottle_slug":"a-1')
      appendFileSync(place.log("head"), '{"bottle_')
      return place
    },
  },
]

for (const { name, make } of beginnings) {
  describe(name, () => {
    test("survives a kill at every step", async () => {
      const beginning = await make()
      const before = hashes(beginning)
      const lived = await run(copyOf(beginning, newPlace().paths.home), 0, "before", ["start", "proof"])
      expect(lived.told.length).toBe(2)
      let kills = 0
      for (let step = 1; step <= lived.steps.length; step += 1) {
        for (const when of ["before", "after"] as const) {
          const where = `killed ${when} step ${step}, ${lived.steps[step - 1]}`
          const place = copyOf(beginning, newPlace().paths.home)
          const died = await run(place, step, when, ["start", "proof"])
          expect({ where, killed: died.killed }).toEqual({ where, killed: true })
          kills += 1
          const accused = (await findings(place)).filter(({ severity }) => severity === "tampering")
          expect({ where, accused }).toEqual({ where, accused: [] })
          // Another keeper takes over.
          await place.write("a-11111", "take-over")
          const there = hashes(place)
          const lost = [...before, ...died.told].filter((hash) => !there.includes(hash))
          expect({ where, lost, findings: await findings(place) }).toEqual({ where, lost: [], findings: [] })
        }
      }
      console.log(
        `audit, ${name}: killed ${kills} times at ${lived.steps.length} steps (${new Set(lived.steps).size} kinds), nothing lost`,
      )
      expect(kills).toBeGreaterThan(10)
    })
  })
}

test("many writers at once, some of them killed, leave one whole head", async () => {
  const place = await fillSample(newPlace())
  const slugs = Array.from({ length: 6 }, (_, n) => `w-0000${n}`)
  await Promise.all(
    slugs.map(async (slug, n) => {
      const args = [place.paths.home, slug, n % 2 === 0 ? "0" : String(7 + n), "after", "start", "proof", "end"]
      await Bun.spawn([process.execPath, writer, ...args], { stdout: "ignore", stderr: "ignore", env: process.env })
        .exited
      await place.write(slug, "take-over")
    }),
  )
  expect(await findings(place)).toEqual([])
})
