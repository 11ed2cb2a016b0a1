import { expect } from "bun:test"
import { binary } from "./command.ts"

/** What the shortest run of the binary takes on a small machine that does nothing else, in milliseconds. */
const calm = 15

/**
 * Hold that something which began at `since` (of `performance.now()`) took less than `limit` milliseconds, as it is
 * promised to a person. A machine that has other work is no reason to fail: then the limit grows as the binary's own
 * start does, by the median of nine.
 */
export function expectWithin(limit: number, since: number): void {
  const took = performance.now() - since
  if (took < limit) return
  const runs = Array.from({ length: 9 }, () => {
    const from = performance.now()
    Bun.spawnSync([binary, "--version"], { env: { PATH: process.env.PATH ?? "" }, stdout: "ignore", stderr: "ignore" })
    return performance.now() - from
  })
  const median = runs.sort((a, b) => a - b)[4] ?? calm
  expect(took).toBeLessThan(limit * Math.max(1, median / calm))
}
