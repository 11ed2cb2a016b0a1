import { describe, expect, test } from "bun:test"
import { parseSidecarCall } from "../../../src/bottle/keeper/control/parse-call.ts"
import { mostJustification, mostProposedFile } from "../../../src/proposals/types.ts"

const propose = { op: "propose", tool: "egress-block", proposed_file: "host: a.example\n", justification: "why" }

describe("a call of a sidecar's", () => {
  for (const call of [propose, { op: "proposal-status", id: "p0123456789" }, { op: "list-egress-routes" }]) {
    test(`is taken when it is whole: ${call.op}`, () => {
      expect(parseSidecarCall({ ...call, surplus: 1 })).toEqual(call as never)
    })
  }

  for (const [what, call] of [
    ["nothing", null],
    ["a list", [propose]],
    ["another operation", { op: "stop" }],
    ["one of an object's own names", { op: "__proto__" }],
    ["another tool", { ...propose, tool: "toString" }],
    ["a number for text", { ...propose, justification: 1 }],
    ["half a character", { ...propose, justification: "\ud800" }],
    ["a NUL", { ...propose, proposed_file: "a\0b" }],
    ["too long a reason", { ...propose, justification: "x".repeat(mostJustification + 1) }],
    ["too long a file", { ...propose, proposed_file: "x".repeat(mostProposedFile + 1) }],
    ["too long an id", { op: "proposal-status", id: "x".repeat(65) }],
  ] as const) {
    test(`is refused: ${what}`, () => expect(parseSidecarCall(call)).toBeUndefined())
  }
})
