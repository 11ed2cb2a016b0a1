import { describe, expect, test } from "bun:test"
import { proposalOf } from "../../../../sidecars/supervise/tools/propose.ts"
import type { ProposalTool } from "../../../../src/proposals/types.ts"

const propose = (tool: ProposalTool, given: Record<string, unknown>) => {
  const proposal = proposalOf(tool, { justification: "why", ...given }, { args: { BASE_IMAGE: "debian" } })
  return "kind" in proposal ? `refused: ${proposal.message}` : proposal.proposed_file
}

describe("egress-block", () => {
  test("becomes one route in a manifest's words", () => {
    expect(propose("egress-block", { host: "A.example." })).toBe("host: a.example\n")
    expect(propose("egress-block", { host: "*.a.example", path_allowlist: ["/v1"] })).toBe(
      'host: "*.a.example"\npath_allowlist: [/v1]\n',
    )
    expect(propose("egress-block", { host: "a.example", methods: ["get", "GET", "PROPFIND"] })).toBe(
      "host: a.example\nmatches:\n  - methods: [GET, PROPFIND]\n",
    )
  })

  test("of the same meaning has the same text, so that proposals join", () => {
    const one = propose("egress-block", { host: "b\u00fccher.example", path_allowlist: ["/a", "/a"], methods: ["get"] })
    expect(propose("egress-block", { methods: ["GET"], host: "XN--BCHER-KVA.example.", path_allowlist: ["/a"] })).toBe(
      one,
    )
  })

  test.each([
    [{ host: "https://a.example/x" }, "without https://"],
    [{ host: "a.example/x" }, "path_allowlist"],
    [{ host: "a.example:8080" }, "another port"],
    [{ host: "*" }, "every host at once"],
    [{ host: "*.com" }, "too wide"],
    [{ host: "a_b.example" }, "underscore"],
    [{ host: "a.example\u202e" }, "invisible"],
    [{ host: "a.example", path_allowlist: ["v1"] }, "path_allowlist[0]: a path begins with /"],
    [{ host: "a.example", path_allowlist: ["/ok", "/a/../b"] }, "path_allowlist[1]"],
    [{ host: "a.example", path_allowlist: ["/a?b=c"] }, "no query"],
    [{ host: "a.example", methods: ["TRACE"] }, "never be permitted"],
    [{ host: "a.example", methods: ["GET /x"] }, "never be permitted"],
    [{ host: "a.example", auth: { scheme: "Digest", token_ref: "T" } }, "auth.scheme"],
    [{ host: "a.example", auth: { scheme: "header:A\r\nB", token_ref: "T" } }, "auth.scheme"],
    [{ host: "a.example", auth: { scheme: "Bearer", token_ref: "ghp_0123456789" } }, "never the credential itself"],
    [{ host: "*.a.example", auth: { scheme: "Bearer", token_ref: "T" } }, "wildcard"],
  ])("refuses %o", (given, why) => {
    expect(propose("egress-block", given)).toStartWith("refused: ")
    expect(propose("egress-block", given)).toContain(why)
  })
})

describe("pipelock-block", () => {
  test("becomes the URL, its host in the one spelling", () => {
    expect(propose("pipelock-block", { failed_url: "HTTPS://Docs.Example:443/a/B?c=D#e" })).toBe(
      "https://docs.example/a/B?c=D#e",
    )
    expect(propose("pipelock-block", { failed_url: "https://docs.example" })).toBe("https://docs.example/")
  })

  test.each([
    ["docs.example", "https URL"],
    ["http://docs.example/", "https only"],
    ["ftp://docs.example/", "https URL"],
    ["https://user:pass@docs.example/", "user name"],
    ["https://docs.example:8443/", "443"],
    ["https://docs.example\\@evil.example/", "user name"],
    ["https://*.example.com/", "one host"],
    ["https://docs.example/a b", "space"],
    ["https:///a", "empty"],
    ["https://docs.ex\u0430mple/", "no URL has"],
  ])("refuses %s", (failed_url, why) => {
    expect(propose("pipelock-block", { failed_url })).toStartWith("refused: ")
    expect(propose("pipelock-block", { failed_url })).toContain(why)
  })
})

describe("capability-block", () => {
  test("keeps a Dockerfile as it is", () => {
    const dockerfile = "ARG BASE_IMAGE\nFROM $BASE_IMAGE\nRUN true\n"
    expect(propose("capability-block", { dockerfile })).toBe(dockerfile)
  })

  test("refuses one that builders read differently, with its line", () => {
    expect(propose("capability-block", { dockerfile: "FROM a\nRUN <<EOF\nid\nEOF\n" })).toStartWith(
      "refused: dockerfile, line 2: ",
    )
  })
})
