import { describe, expect, test } from "bun:test"
import { explainMatch, explainRoute, explainVerdict } from "../../../src/policy/explain.ts"
import { hashPolicy } from "../../../src/policy/hash.ts"
import { refuse } from "../../../src/policy/refuse.ts"
import type { DenyReason } from "../../../src/policy/types.ts"
import { policyOf, routeOf } from "./request.ts"

const reasons: DenyReason[] = [
  "unlisted-host",
  "wrong-port",
  "wrong-scheme",
  "no-match",
  "bad-host",
  "bad-path",
  "bad-request",
  "forbidden-method",
  "upgrade",
  "git-push",
  "private-address",
  "resolve-failed",
  "secret-missing",
  "sni-mismatch",
  "host-mismatch",
  "internal-error",
]

describe("a rule explains itself", () => {
  test("as a route in one line", () => {
    expect(explainRoute(routeOf())).toBe("https://api.test: whole host")
    expect(explainRoute(routeOf({ port: 8443, matches: [] }))).toBe("https://api.test:8443: nothing")
    const full = routeOf({
      matches: [{ methods: ["GET", "HEAD"], paths: [{ type: "prefix", value: "/v1" }] }, {}],
      auth: { scheme: "Bearer", token_ref: "SLOT_NAME" },
      git: { fetch: true },
      websocket: true,
      keep_headers: ["cookie"],
      connect_to: "10.0.0.1",
    })
    expect(explainRoute(full)).toBe(
      "https://api.test: GET or HEAD /v1 and below | everything; git clone and fetch; WebSocket; " +
        "the operator's credential is added (Bearer); the agent's own cookie kept",
    )
  })

  test("as a match in words", () => {
    expect(
      explainMatch({
        paths: [
          { type: "exact", value: "/a" },
          { type: "regex", value: "/b.*" },
        ],
        headers: [{ name: "x-env", value: "dev" }, { name: "x-id" }],
      }),
    ).toBe("exactly /a or paths like /b.* with header x-env: dev and header x-id")
    expect(explainMatch({})).toBe("everything")
    expect(explainMatch({ methods: [], paths: [] })).toBe("no method no path")
  })

  test("as a verdict", () => {
    expect(explainVerdict({ kind: "allow", gate: "egress", because: "route x" })).toBe("allowed by egress: route x")
    expect(explainVerdict(refuse("unlisted-host", { host: "x.test" }, false))).toBe(
      "refused by egress (unlisted-host): x.test has no route and is not on the allowlist.\n" +
        "Ask the operator to add a route for x.test to the bottle file.",
    )
  })
})

describe("a refusal", () => {
  const about = { scheme: "https", host: "api.test", port: 8443, method: "PUT", path: "/a", why: "the reason" } as const

  test.each(reasons)("of %s has a message and a remedy, and names tools only with supervise", (reason) => {
    for (const gate of ["egress", "pipelock"] as const) {
      const denial = refuse(reason, about, false, gate)
      expect(denial).toMatchObject({ kind: "deny", gate, reason })
      expect(denial.message).toMatch(/^\S.*\.$/)
      expect(denial.remedy).toMatch(/^\S.*\.$/)
      expect(denial.remedy).not.toMatch(/egress-block|pipelock-block/)
    }
    expect(refuse(reason, {}, true).message).not.toContain("undefined")
  })

  test("says what was asked for", () => {
    expect(refuse("no-match", about, true).message).toBe(
      "PUT https://api.test:8443/a matches no rule of the route for api.test: the reason.",
    )
  })

  test("shows foreign text printable and cut", () => {
    const hostile = { host: "x.test", path: `/\x1b]0;title\x07\u202e${"a".repeat(5000)}`, method: "GET\r\n" }
    const { message } = refuse("no-match", hostile, true)
    expect(message).not.toMatch(/[^\x20-\x7e]/)
    expect(message.length).toBeLessThan(600)
  })
})

describe("the hash of a policy", () => {
  test("does not depend on the order of keys", () => {
    const route = routeOf({ matches: [{ methods: ["GET"], paths: [] }] })
    const turned = { port: 443, matches: [{ paths: [], methods: ["GET"] }], scheme: "https", host: "api.test" } as const
    expect(hashPolicy(policyOf([route]))).toBe(hashPolicy(policyOf([turned])))
    expect(hashPolicy(policyOf([route]))).toMatch(/^[0-9a-f]{64}$/)
  })

  test("changes with every value and with the order of routes", () => {
    const [a, b] = [routeOf(), routeOf({ host: "b.test" })]
    const hashes = [
      policyOf([a, b]),
      policyOf([b, a]),
      policyOf([a]),
      policyOf([a, b], { supervise: false }),
      policyOf([a, b], { log: 1 }),
      policyOf([a, b], { allowlist: ["x"] }),
      policyOf([{ ...a, matches: [] }, b]),
    ].map(hashPolicy)
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})
