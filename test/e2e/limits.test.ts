import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { expectWithin } from "../support/pace.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap") && requirePart("python3")

const allocate = 'x = b"x" * (400 << 20); print("allocated", len(x))'
const fork = `
import os, time
count = 0
try:
    while count < 200:
        if os.fork() == 0:
            time.sleep(1); os._exit(0)
        count += 1
except OSError:
    pass
print(count)`

for (const who of here ? whos : []) {
  describe(`limits, as ${who}`, () => {
    const place = makePlace(who)
    const start = (...argv: string[]) =>
      place.bottle(["start", "--headless", "--discard", "--bottle", "limited", "--", ...argv])
    let unenforced: string
    beforeAll(async () => {
      place.writeBottle("limited", "limits: {memory: 200m, pids: 60, wall_clock: 20s}")
      const plan = await place.bottle(["start", "--dry-run", "--json", "--bottle", "limited", "--", "true"])
      unenforced = JSON.parse(plan.stdout).unenforced.join("; ")
    })

    test("memory is held, or the plan says that it is not", async () => {
      for (let round = 0; round < 5; round++) {
        const { stdout, code } = await start("python3", "-c", allocate)
        if (unenforced.includes("memory")) expect(stdout).toContain("allocated")
        else expect([stdout, code]).toEqual(["", 137])
      }
    })

    test("processes are held, or the plan says that they are not", async () => {
      const { stdout } = await start("python3", "-c", fork)
      if (unenforced.includes("pids")) expect(Number(stdout)).toBe(200)
      else expect(Number(stdout)).toBeLessThan(60)
    })

    test("the wall clock ends a session with its reason", async () => {
      place.writeBottle("brief", "limits: {wall_clock: 1s}")
      const startedAt = performance.now()
      const result = await place.bottle(["start", "--headless", "--bottle", "brief", "--", "sleep", "20"])
      expectWithin(10_000, startedAt)
      expect(result.code).not.toBe(0)
      expect(result.stderr).toMatch(/limit/)
    })
  })
}
