import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { useEngine } from "../support/docker/engine.ts"
import { useWire } from "../support/docker/wire.ts"
import { dockerKillPlace, importBusybox, judgeDocker } from "../support/kill/docker/judge.ts"
import { everyDockerCase } from "../support/kill/docker/matrix.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(300_000)
const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useWire(useEngine(able), able)

/** Every place of the kill matrix on docker. */
describe.skipIf(!able)("killed with -9, in containers", () => {
  if (!able) return
  const place = dockerKillPlace(engine)
  beforeAll(() => importBusybox(engine))
  const cases = everyDockerCase
  let met = 0
  for (const one of cases) {
    test(one.name, async () => {
      if (await judgeDocker(place, engine, one)) met += 1
    })
  }
  test("most kills meet their process", () => expect(met).toBeGreaterThan(cases.length * 0.7))
})
