import { describe, expect, test } from "bun:test"
import { compareMessages, compareUrls, compareWithCurl } from "../support/fuzz/differential.ts"
import { hostProperties } from "../support/fuzz/host-properties.ts"
import { httpProperties } from "../support/fuzz/http-properties.ts"
import { manifestProperties } from "../support/fuzz/manifest-properties.ts"
import { tryProperty } from "../support/fuzz/property.ts"
import { streamProperties } from "../support/fuzz/stream-properties.ts"
import { terminalProperties } from "../support/fuzz/terminal-properties.ts"
import { requirePart } from "../support/require.ts"

/**
 * A million inputs to every parser that faces the agent. `SOAK_INPUTS` says another number. A failure names its seed,
 * which then belongs among the property's kept ones.
 */

const inputs = Number(process.env.SOAK_INPUTS ?? 1_000_000)
const limit = 60 * 60_000

describe(`${inputs} inputs:`, () => {
  const groups = [httpProperties, hostProperties, streamProperties, manifestProperties, terminalProperties]
  for (const property of groups.flat()) {
    test(
      property.name,
      async () => {
        const taken = await tryProperty(property, inputs)
        console.log(`${property.name}: ${inputs} tried, ${taken} taken`)
        expect(taken).toBeGreaterThan(0)
      },
      limit,
    )
  }

  test.skipIf(!requirePart("node24"))(
    "requests are the same to Node's parser",
    async () => {
      const compared = await compareMessages(inputs)
      console.log(`requests: ${inputs} tried, ${compared} compared with Node`)
      expect(compared).toBeGreaterThan(0)
    },
    limit,
  )

  test.skipIf(!requirePart("node24"))(
    "hosts and paths are the same to Node's URL and to Bun's",
    async () => {
      const compared = await compareUrls(inputs)
      console.log(`hosts and paths: ${inputs} tried, ${compared} compared with Node and Bun`)
      expect(compared).toBeGreaterThan(0)
    },
    limit,
  )

  test.skipIf(!requirePart("curl"))(
    "hosts are the same to curl",
    async () => {
      // One transfer each: a tenth is enough.
      const compared = await compareWithCurl(Math.ceil(inputs / 10))
      console.log(`hosts: ${compared} compared with curl`)
      expect(compared).toBeGreaterThan(0)
    },
    limit,
  )
})
