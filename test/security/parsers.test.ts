import { describe, expect, test } from "bun:test"
import { hostProperties } from "../support/fuzz/host-properties.ts"
import { httpProperties } from "../support/fuzz/http-properties.ts"
import { manifestProperties } from "../support/fuzz/manifest-properties.ts"
import { tryProperty } from "../support/fuzz/property.ts"
import { streamProperties } from "../support/fuzz/stream-properties.ts"
import { terminalProperties } from "../support/fuzz/terminal-properties.ts"

/** Parsers that face the agent, by properties over made inputs; `npm run soak` tries a million of each. */

describe("parsers that face the agent:", () => {
  for (const property of [
    ...httpProperties,
    ...hostProperties,
    ...streamProperties,
    ...manifestProperties,
    ...terminalProperties,
  ]) {
    test(property.name, async () => {
      const count = property.short ?? 1000
      const taken = await tryProperty(property, count)
      expect(taken).toBeGreaterThan(count / 100)
      expect(taken).toBeLessThanOrEqual(count + (property.kept?.length ?? 0))
    }, 300_000)
  }
})
