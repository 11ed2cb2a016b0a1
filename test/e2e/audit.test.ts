import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { AuditEntry } from "../../src/audit/types.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

for (const who of here ? whos : []) {
  describe(`the audit, as ${who}`, () => {
    const place = makePlace(who)
    let slug = ""
    beforeAll(async () => {
      place.writeBottle("dev", "agent_provider: {template: command}")
      const script = "curl -s http://denied.example/; curl -s http://denied.example/; exit 3"
      await place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", script])
      slug = place.states()[0] ?? ""
      await place.bottle(["resume", "--headless", slug])
      await place.bottle(["destroy", slug, "--yes"])
    }, 300_000)

    const entries = async () =>
      (JSON.parse((await place.bottle(["audit", "show", slug, "--json"])).stdout) as { entries: AuditEntry[] }).entries

    test("tells of start, proof, refusals, end, resume and destroy, and outlives the bottle", async () => {
      const told = (await entries()).map(({ component, operator_action }) => `${component} ${operator_action}`)
      const session = ["fence proof", "egress refused", "session end"]
      expect(told).toEqual(["session start", ...session, "session resume", ...session, "session destroy"])
      expect(place.states()).toEqual([])
    })

    test("names every probe, what was refused how often, and how it ended", async () => {
      const [, proof, refused, end] = await entries()
      expect(proof?.detail).toMatchObject({ ok: true, failed: 0, "inside: interfaces": "ok", "outside: seccomp": "ok" })
      expect(JSON.parse(String(refused?.detail?.refusals))).toMatchObject([{ host: "denied.example", count: 2 }])
      expect(end?.detail).toMatchObject({ how: "exit", exit_code: 3, kept: true })
    })

    test("is for its owner alone", () => {
      for (const path of ["audit", "keys"]) expect(statSync(join(place.botHome, path)).mode & 0o777).toBe(0o700)
      for (const path of [`audit/${slug}.jsonl`, "audit/head.jsonl", "keys/audit.ed25519"]) {
        expect(statSync(join(place.botHome, path)).mode & 0o777).toBe(0o600)
      }
    })

    test("is verified, until somebody changes it: then exit 8 and the line", async () => {
      const good = await place.bottle(["audit", "verify"])
      expect(good).toMatchObject({ code: 0, stdout: `ok       ${slug}  9 entries\n` })
      const keep = /keep: ([0-9a-f]{16})/.exec(good.stderr)?.[1] ?? ""
      expect((await place.bottle(["audit", "verify", "--expect", keep])).code).toBe(0)
      expect((await place.bottle(["audit", "verify", "--expect", "0".repeat(16)])).code).toBe(8)
      const path = join(place.botHome, "audit", `${slug}.jsonl`)
      const text = readFileSync(path, "utf8")
      writeFileSync(path, text.replace('"exit_code":3', '"exit_code":0'))
      const bad = await place.bottle(["audit", "verify"])
      expect(bad.code).toBe(8)
      expect(bad.stdout).toContain("line 4 was changed")
      const asData = await place.bottle(["audit", "verify", slug, "--json"])
      expect(asData.code).toBe(8)
      expect(JSON.parse(asData.stdout)).toMatchObject({ schemaVersion: 1, ok: false })
      writeFileSync(path, text)
      expect(
        (await place.bottle(["audit", "verify", "--public-key", join(place.botHome, "keys", "audit.pub")])).code,
      ).toBe(0)
    })

    for (const [format, first] of [
      ["jsonl", '{"bottle_slug":'],
      ["csv", "timestamp,bottle_slug,"],
      ["cef", "CEF:0|bot-bottle|bottle|"],
      ["ocsf", '{"activity_id":1,'],
    ] as const) {
      test(`is exported as ${format}`, async () => {
        const { stdout, code } = await place.bottle(["audit", "export", "--format", format])
        expect(code).toBe(0)
        expect(stdout).toStartWith(first)
        expect(stdout.trimEnd().split("\n").length).toBe(format === "csv" ? 10 : 9)
      })
    }

    test("says what it does not take, and what it does not know", async () => {
      expect((await place.bottle(["audit", "show", "nobody-00000"])).code).toBe(5)
      expect((await place.bottle(["audit", "verify", "nobody-00000"])).code).toBe(5)
      expect((await place.bottle(["audit", "verify", "../../etc"])).code).toBe(5)
      expect((await place.bottle(["audit", "show", "--since", "noon"])).code).toBe(2)
      expect((await place.bottle(["audit", "verify", "--format", "csv"])).code).toBe(2)
    })
  })
}
