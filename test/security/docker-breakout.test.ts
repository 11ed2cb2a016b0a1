import { describe, test } from "bun:test"
import { besiegeContainers } from "../support/breakout/in-containers.ts"
import { requirePart } from "../support/require.ts"
import { allVectors } from "./vectors/index.ts"

/** The same attacks as in a namespace bottle, from the same list, in containers of an engine inside the arena. */

const siege = await besiegeContainers()
/** With gVisor every program starts ten times slower: here a few of each kind, all of them in `npm run soak`. */
const few = allVectors.filter((vector, index) => vector.alone !== true && index % 12 === 0)

describe.skipIf(!siege.here)("breakout from containers", () => {
  test("nothing is captured", () => siege.attack("runc", allVectors), 600_000)

  test.skipIf(!siege.here || !requirePart("runsc"))(
    "nothing is captured with gVisor between the agent and this kernel",
    () => siege.attack("runsc", few),
    600_000,
  )
})
