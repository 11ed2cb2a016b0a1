import { describe, expect, test } from "bun:test"
import { editDistance, nearest } from "../../../src/lib/nearest.ts"

describe("the nearest word", () => {
  test.each([
    ["hots", ["host", "port", "ca"], "host"],
    ["supervize", ["supervise", "namespace"], "supervise"],
    ["DEV", ["dev", "den"], "dev"],
    ["reviwer", ["reviewer", "review"], "reviewer"],
    ["egres", ["egress", "env"], "egress"],
  ])("of %p among %p is %p", (word, candidates, near) => {
    expect(nearest(word, candidates)).toBe(near)
  })

  test.each([
    ["frobnicate", ["host", "port"]],
    ["x", ["y"]],
    ["", ["host"]],
    ["a".repeat(100_000), ["a".repeat(99_999)]],
  ])("is none when nothing is near", (word, candidates) => {
    expect(nearest(word, candidates)).toBeUndefined()
  })

  test("a swap of neighbours is one edit", () => {
    expect(editDistance("hots", "host")).toBe(1)
    expect(editDistance("kitten", "sitting")).toBe(3)
    expect(editDistance("", "abc")).toBe(3)
  })
})
