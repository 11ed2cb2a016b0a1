import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { useEngine } from "../support/docker/engine.ts"
import { useWire } from "../support/docker/wire.ts"
import { DockerRun } from "../support/kill/docker/docker-run.ts"
import { dockerKillPlace, importBusybox, judgeDocker } from "../support/kill/docker/judge.ts"
import { shortDockerMatrix } from "../support/kill/docker/matrix.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useWire(useEngine(able), able)

/** A part of the kill matrix on docker; the whole runs with `npm run soak`. */
describe.skipIf(!able)("killed with -9, in containers", () => {
  if (!able) return
  const place = dockerKillPlace(engine)
  beforeAll(() => importBusybox(engine))
  const cases = shortDockerMatrix()
  let met = 0
  for (const one of cases) {
    test(one.name, async () => {
      if (await judgeDocker(place, engine, one)) met += 1
    })
  }
  test("a stream that breaks ends no bottle, and what was refused meanwhile is not lost", async () => {
    const run = new DockerRun(place, engine, "idle", false)
    const refused = async () => JSON.parse((await place.bottle(["list", "--json"])).stdout).active[0]
    const ask = () => place.bottle(["exec", run.slug, "--", "busybox", "wget", "-qO-", "http://denied.example/"])
    await run.running("idle")
    expect((await ask()).stderr).toContain("403")
    expect(await run.strike("streams", 0)).toBe(true)
    expect((await ask()).stderr).toContain("403")
    // What is opened from here on goes through relays.
    expect(await run.strike("control-relay", 60_000)).toBe(true)
    expect((await ask()).stderr).toContain("403")
    const beside = place.bottle(["exec", run.slug, "--", "busybox", "sleep", "4321"])
    await waitFor("the program beside", () => run.runs("sleep 4321"))
    expect(await run.strike("guest-relay", 60_000)).toBe(true)
    expect((await beside).code).not.toBe(0)
    expect((await ask()).stderr).toContain("403")
    await waitFor("every refusal", async () => (await refused())?.refused === 4)
    expect(await refused()).toMatchObject({ degraded: false, reasons: [] })
    expect(["idle", "running"]).toContain((await refused()).state)
    expect((await place.bottle(["stop", run.slug])).code).toBe(0)
    await run.client.exited
    expect(await run.remains()).toEqual([])
    expect((await place.bottle(["destroy", run.slug, "--yes"])).code).toBe(0)
    expect(await engine.left()).toEqual([])
  })
  test("most kills meet their process", () => expect(met).toBeGreaterThan(cases.length * 0.7))
})
