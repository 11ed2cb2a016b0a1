import { expect, test } from "bun:test"
import { compareMessages, compareUrls, compareWithCurl } from "../support/fuzz/differential.ts"
import { requirePart } from "../support/require.ts"

/** What our parsers take, others must read the same way: else what was judged is not what arrives. */

test.skipIf(!requirePart("node24"))(
  "a request that egress takes is the same request to Node's parser",
  async () => {
    expect(await compareMessages(10_000)).toBeGreaterThan(1000)
  },
  300_000,
)

test.skipIf(!requirePart("node24"))(
  "a host and a path that the policy takes are the same to Node's URL and to Bun's",
  async () => {
    expect(await compareUrls(20_000)).toBeGreaterThan(3000)
  },
  300_000,
)

test.skipIf(!requirePart("curl"))(
  "a host that the policy takes is the same host to curl",
  async () => {
    expect(await compareWithCurl(2000)).toBeGreaterThan(1000)
  },
  300_000,
)
