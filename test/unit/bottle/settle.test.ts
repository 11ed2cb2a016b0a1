import { expect, test } from "bun:test"
import { type EndFacts, settledLines, settleReasons } from "../../../src/bottle/settle.ts"

const clean: EndFacts = {
  how: "exit",
  exitCode: 0,
  preserved: undefined,
  work: false,
  refused: 0,
  proposals: 0,
  discard: false,
  keep: false,
}

test("a clean end with nothing to lose removes the state", () => {
  expect(settleReasons(clean)).toEqual([])
  expect(settleReasons({ ...clean, how: "stop", exitCode: 143 })).toEqual([])
})

const keeping: [string, Partial<EndFacts>, RegExp][] = [
  ["a non-zero exit", { exitCode: 3 }, /exited with 3/],
  ["a preserve marker", { preserved: "" }, /preserved/],
  ["a preserve marker with a reason", { preserved: "line 3 changed its image" }, /^line 3 changed its image$/],
  ["work in the workspace", { work: true }, /holds work/],
  ["a workspace that could not be examined", { work: undefined }, /could not be examined/],
  ["an open proposal", { proposals: 1 }, /1 proposal is open/],
  ["a refused request", { refused: 1 }, /1 request was refused/],
  ["several refused requests", { refused: 4 }, /4 requests were refused/],
  ["a limit", { how: "cut", why: "limits.disk of 5 MB reached" }, /limits\.disk of 5 MB reached/],
]
for (const [name, change, reason] of keeping) {
  test(`${name} keeps the state`, () => {
    const reasons = settleReasons({ ...clean, ...change })
    expect(reasons).toHaveLength(1)
    expect(reasons[0]).toMatch(reason)
  })
  test(`${name} does not outweigh --discard`, () => {
    expect(settleReasons({ ...clean, ...change, discard: true })).toEqual([])
  })
}

test("what is kept is said with its reasons and the two ways on", () => {
  const lines = settledLines("claude-abcde", { kept: true, reasons: ["the workspace holds work"], warnings: ["w"] })
  expect(lines).toEqual([
    "warning: w",
    "claude-abcde: ended, state kept: the workspace holds work",
    "  look:   bottle diff claude-abcde",
    "  take:   bottle pull claude-abcde",
    "  go on:  bottle resume claude-abcde",
    "  drop:   bottle destroy claude-abcde",
  ])
})
