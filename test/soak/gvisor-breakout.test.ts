import { describe, test } from "bun:test"
import { allVectors } from "../security/vectors/index.ts"
import { besiegeContainers } from "../support/breakout/in-containers.ts"
import { requirePart } from "../support/require.ts"

/** The whole list of attacks with gVisor, which takes minutes. */

const siege = await besiegeContainers()

describe.skipIf(!siege.here || !requirePart("runsc"))("breakout from gVisor", () => {
  test("nothing is captured", () => siege.attack("runsc", allVectors), 600_000)
})
