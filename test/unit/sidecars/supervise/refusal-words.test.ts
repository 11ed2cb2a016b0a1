import { describe, expect, test } from "bun:test"
import { parse } from "yaml"
import { toolsFor } from "../../../../sidecars/supervise/tools/definitions.ts"
import { proposalOf } from "../../../../sidecars/supervise/tools/propose.ts"
import { checkSchema } from "../../../../sidecars/supervise/tools/schema.ts"
import { routeSchema } from "../../../../src/manifest/schema/route.ts"
import { compilePolicy } from "../../../../src/policy/compile.ts"
import { decide } from "../../../../src/policy/decide.ts"
import { refuse } from "../../../../src/policy/refuse.ts"
import type { ProposalTool } from "../../../../src/proposals/types.ts"

const policyOf = (parts: object) => compilePolicy({ routes: [], allowlist: [], log: 0, supervise: true, ...parts })

/** What the remedy tells the agent to call, taken at its word. */
function callsIn(remedy: string): [ProposalTool, Record<string, unknown>][] {
  return [...remedy.matchAll(/(egress-block|pipelock-block) (\{.*?\})(?= )/g)].map(([, tool, json]) => [
    tool as ProposalTool,
    JSON.parse(json ?? "") as Record<string, unknown>,
  ])
}

function proposed([tool, given]: [ProposalTool, Record<string, unknown>]): string {
  const schema = toolsFor({ image: null }).find(({ name }) => name === tool)!.inputSchema
  expect(checkSchema(given, schema, "arguments")).toBeUndefined()
  const proposal = proposalOf(tool, given, null)
  if ("kind" in proposal) throw new Error(proposal.message)
  return proposal.proposed_file
}

describe("a refusal's remedy, done to the letter,", () => {
  for (const path of ["/", "/v1/models", "/@scope%2Fname", "/a;b=c/d", `/${"long/".repeat(30)}x`, "/bücher"]) {
    for (const reason of ["unlisted-host", "no-match"] as const) {
      test(`asks for a route that permits the request: ${reason} of ${path.slice(0, 20)}`, () => {
        const request = { scheme: "https", host: "api.example", port: 443, method: "POST", path, headers: [] } as const
        const [egress, pipelock] = callsIn(refuse(reason, request, true).remedy)
        expect(egress?.[0]).toBe("egress-block")
        const route = routeSchema.parse(parse(proposed(egress!)))
        expect(decide(request, policyOf({ routes: [route] })).kind).toBe("allow")
        expect(decide({ ...request, method: "DELETE" }, policyOf({ routes: [route] })).kind).toBe("deny")
        if (reason === "no-match") return
        expect(pipelock?.[0]).toBe("pipelock-block")
        const { hostname } = new URL(proposed(pipelock!))
        expect(decide(request, policyOf({ allowlist: [hostname] })).kind).toBe("allow")
      })
    }
  }

  test("of a refused CONNECT asks for the host, whose paths nobody knows yet", () => {
    const calls = callsIn(refuse("unlisted-host", { host: "api.example", port: 443 }, true).remedy)
    expect(calls.map(proposed)).toEqual(["host: api.example\n", "https://api.example/"])
  })

  test("never sends an agent to ask for a port or scheme, for which there is no tool", () => {
    for (const reason of ["wrong-port", "wrong-scheme"] as const) {
      for (const gate of ["egress", "pipelock"] as const) {
        expect(refuse(reason, { host: "a.example", port: 1 }, true, gate).remedy).not.toContain("-block")
      }
    }
  })
})
