import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"
import { BottleRun } from "../support/kill/bottle-run.ts"
import { processesOf } from "../support/kill/processes.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

for (const who of here ? whos : []) {
  describe(`the sidecars of a bottle started as ${who}`, () => {
    const place = makePlace(who)
    place.writeBottle("dev", "agent_provider: {template: command}\nsupervise: true")

    test("are each under a filter for system calls, and have no new privileges", async () => {
      const run = new BottleRun(place, "idle", false)
      await run.running("idle")
      const children = processesOf(place, run.slug).filter(({ isOurs, argv }) => isOurs && argv.includes("--child"))
      expect(children.map(({ argv }) => argv.at(-1)).sort()).toEqual(["egress", "supervise"])
      for (const { pid } of children) {
        const status = readFileSync(`/proc/${pid}/status`, "utf8")
        expect(status).toMatch(/^Seccomp:\s*2$/m)
        expect(status).toMatch(/^NoNewPrivs:\s*1$/m)
        expect(status).toMatch(/^CapEff:\s*0+$/m)
      }
      run.client.kill("SIGKILL")
      expect((await place.bottle(["destroy", run.slug, "--yes"])).code).toBe(0)
    })
  })
}
