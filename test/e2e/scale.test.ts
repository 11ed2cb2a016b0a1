import { beforeAll, describe, setDefaultTimeout, test } from "bun:test"
import { useEngine } from "../support/docker/engine.ts"
import { judgeFleet, tellFleet } from "../support/fleet-judge.ts"
import { importBusybox } from "../support/kill/docker/judge.ts"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(300_000)
const able = ["dockerd", "busybox", "binary", "bwrap", "curl"].every(requirePart)
const engine = useEngine(able)
const fleet = { namespace: 5, docker: 3 }

describe.skipIf(!able)("several bottles side by side", () => {
  if (!able) return
  const place = makePlace("root", { DOCKER_HOST: engine.host })
  beforeAll(() => importBusybox(engine))

  test("are all up with their policies in force, listed, and removed", async () => {
    tellFleet(fleet, await judgeFleet(place, engine, fleet))
  })
})
