import { expect, test } from "bun:test"
import { scrubEnvironment } from "../../../src/lib/environment.ts"

test("variables that would run other code or drop verification are removed and named", () => {
  const env: Record<string, string | undefined> = {
    BUN_OPTIONS: "",
    BUN_BE_BUN: "1",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    PATH: "/bin",
  }
  expect(scrubEnvironment(env)).toEqual(["BUN_OPTIONS", "BUN_BE_BUN", "NODE_TLS_REJECT_UNAUTHORIZED"])
  expect(env).toEqual({ PATH: "/bin" })
})

test.each([
  ["1", "1"],
  ["true", "1"],
  ["0", "1"],
  ["", ""],
])("NO_COLOR=%p reads as %p", (given, kept) => {
  const env: Record<string, string | undefined> = { NO_COLOR: given }
  scrubEnvironment(env)
  expect(env.NO_COLOR).toBe(kept)
})
