import { describe, expect, test } from "bun:test"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import { blastRadius } from "../../../src/proposals/blast-radius/index.ts"
import { lookAlike } from "../../../src/proposals/blast-radius/names.ts"
import { checkProposal } from "../../../src/proposals/check.ts"
import type { ProposalTool } from "../../../src/proposals/types.ts"

const policy: EgressPolicy = {
  routes: [
    {
      ...{ host: "api.github.com", scheme: "https", port: 443, auth: { scheme: "Bearer", token_ref: "GITHUB_TOKEN" } },
      matches: [{ methods: ["GET"], paths: [{ type: "prefix", value: "/repos/me" }] }],
    },
    { host: "docs.example.com", scheme: "https", port: 443, matches: [{ paths: [{ type: "prefix", value: "/v2" }] }] },
    { host: "packages.acmeworks.org", scheme: "https", port: 443 },
    { host: "*.wild.dev", scheme: "https", port: 443, matches: [{ methods: ["GET"] }] },
  ],
  allowlist: ["pypi.org", "a.cdn.dev", "b.cdn.dev"],
  log: 0,
  supervise: true,
}

const today = "FROM debian:12-slim\nRUN apt-get update\n"

/** What is proposed, and everything that an operator is told of it. */
const cases: readonly [what: string, tool: ProposalTool, text: string, expected: string[]][] = [
  ["what is permitted already", "egress-block", "host: packages.acmeworks.org\npath_allowlist: [/left-pad]", []],
  ["the same match again", "egress-block", "host: docs.example.com\npath_allowlist: [/v2]", []],
  ["a listed host's path", "egress-block", "host: pypi.org\npath_allowlist: [/simple]", []],
  ["a listed host", "pipelock-block", "https://pypi.org/simple/x", []],
  ["a new host's path", "egress-block", "host: api.stripe.com\npath_allowlist: [/v1]", ["new-host"]],
  ["a new host as a whole", "egress-block", "host: api.stripe.com", ["new-host", "whole-host"]],
  ["every path by a prefix", "egress-block", "host: api.stripe.com\npath_allowlist: [/]", ["new-host", "whole-host"]],
  ["a whole host by its URL", "pipelock-block", "https://cdn.jsdelivr.net/x.js", ["new-host", "whole-host"]],
  ["another path of a known host", "egress-block", "host: docs.example.com\npath_allowlist: [/v3]", []],
  ["a known host as a whole", "egress-block", "host: docs.example.com", ["whole-host"]],
  [
    "another path with a credential",
    "egress-block",
    "host: api.github.com\nmatches: [{methods: [GET], paths: [{type: prefix, value: /user}]}]",
    ["credential-paths"],
  ],
  [
    "new methods with a credential",
    "egress-block",
    "host: api.github.com\nmatches: [{methods: [POST, DELETE]}]",
    ["credential-methods"],
  ],
  ["any method with a credential", "egress-block", "host: api.github.com", ["whole-host", "credential-methods"]],
  [
    "a credential to a new host",
    "egress-block",
    "host: uploads.github.com\npath_allowlist: [/x]\nauth: {scheme: Bearer, token_ref: GITHUB_TOKEN}",
    ["new-host", "credential-new-host"],
  ],
  ["a wildcard", "egress-block", "host: '*.stripe.com'\npath_allowlist: [/x]", ["new-host", "wildcard"]],
  [
    "a wildcard over listed hosts",
    "egress-block",
    "host: '*.cdn.dev'\npath_allowlist: [/x]",
    ["new-host", "wildcard", "takes-over", "takes-over"],
  ],
  [
    "plain http",
    "egress-block",
    "host: old.stripe.com\nscheme: http\npath_allowlist: [/x]",
    ["new-host", "plain-http"],
  ],
  ["another port", "egress-block", "host: api.stripe.com\nport: 8443\npath_allowlist: [/x]", ["new-host", "odd-port"]],
  ["an address", "egress-block", "host: 203.0.113.9\npath_allowlist: [/x]", ["new-host", "address"]],
  ["an address in odd clothes", "egress-block", "host: '0x7f.1'\npath_allowlist: [/x]", ["new-host", "address"]],
  ["a bare name", "egress-block", "host: jenkins\npath_allowlist: [/x]", ["new-host", "internal-name"]],
  ["metadata", "egress-block", "host: metadata.google.internal\npath_allowlist: [/x]", ["new-host", "internal-name"]],
  ["Cyrillic letters", "egress-block", "host: аpi.github.com\npath_allowlist: [/x]", ["new-host", "punycode"]],
  [
    "Cyrillic letters in the name itself",
    "egress-block",
    "host: api.gіthub.com\npath_allowlist: [/x]",
    ["new-host", "punycode", "look-alike"],
  ],
  ["a slip of the finger", "egress-block", "host: api.githbu.com\npath_allowlist: [/x]", ["new-host", "look-alike"]],
  ["another ending", "pipelock-block", "https://packages.acmeworks.com/x", ["new-host", "whole-host", "look-alike"]],
  ["rn for m", "pipelock-block", "https://docs.exarnple.com/", ["new-host", "whole-host", "look-alike"]],
  ["a known name in front", "pipelock-block", "https://github.com.evil.io/", ["new-host", "whole-host", "look-alike"]],
  [
    "data in a name",
    "egress-block",
    "host: 6b7f1c9e2d4a8b3f5e6d7c8b9a0f1e2d.collect.io\npath_allowlist: [/x]",
    ["new-host", "data-in-name"],
  ],
  ["below a wildcard, more", "egress-block", "host: x.wild.dev\nmatches: [{methods: [POST]}]", ["new-host"]],
  ["today's image", "capability-block", today, []],
  ["one more step", "capability-block", `${today}RUN apt-get install -y jq\n`, ["run"]],
  [
    "another base and a copy",
    "capability-block",
    "FROM node:22 AS n\nFROM debian:12-slim\nCOPY --from=n /usr/local/bin/node /bin/\n",
    ["from", "add"],
  ],
]

describe("the blast radius", () => {
  test.each(cases)("of %s (%s)", async (_what, tool, text, expected) => {
    const context = { policy, slots: ["GITHUB_TOKEN"], image: { bases: ["debian:12-slim", "node:22"], args: {} } }
    const meaning = await checkProposal(tool, text, { ...context, policy: { ...policy, routes: policy.routes } })
    if (meaning.kind === "bad") throw new Error(meaning.why)
    const kinds = blastRadius(meaning.value, policy, today).map(({ kind }) => kind)
    expect(kinds).toEqual(expected as never)
  })

  test("has more than twenty-five cases, some of them empty", () => {
    expect(cases.length).toBeGreaterThanOrEqual(25)
    expect(cases.filter(([, , , expected]) => expected.length === 0).length).toBeGreaterThanOrEqual(4)
  })

  test("shows a foreign name in both spellings", async () => {
    const meaning = await checkProposal("egress-block", "host: gіthub.com", { policy, slots: [] })
    if (meaning.kind === "bad") throw new Error(meaning.why)
    const texts = blastRadius(meaning.value, policy).map(({ text }) => text)
    expect(texts[0]).toBe("xn--gthub-n2e.com (reads as gіthub.com) is new to this bottle")
  })
})

test.each([
  ["raw.githubusercontent.com", undefined],
  ["github.com", undefined],
  ["api.github.com", undefined],
  ["docs.github.com", undefined],
  ["nodejs.org", undefined],
  ["api-github.com", "api.github.com"],
  ["github-com.io", "api.github.com"],
  ["apigithub.com", "api.github.com"],
  ["vvild.dev", "*.wild.dev".slice(2)],
])("%s looks like %p", (host, like) => {
  expect(lookAlike(host, ["api.github.com", "*.wild.dev"])).toBe(like)
})
