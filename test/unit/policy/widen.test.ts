import { describe, expect, test } from "bun:test"
import { compilePolicy } from "../../../src/policy/compile.ts"
import { decide } from "../../../src/policy/decide.ts"
import { compileOnce, connectOnce, findOnce } from "../../../src/policy/once.ts"
import type { EgressPolicy, RouteMatch } from "../../../src/policy/types.ts"
import { onceRoute, widenPolicy, withoutOnce } from "../../../src/policy/widen.ts"
import { policyOf, requestOf, routeOf } from "./request.ts"

const get: RouteMatch = { methods: ["GET"], paths: [{ type: "prefix", value: "/a" }] }
const post: RouteMatch = { methods: ["POST"], paths: [{ type: "exact", value: "/b" }] }
const auth = { scheme: "Bearer", token_ref: "SLOT" }
const passes = (policy: EgressPolicy, facts: Parameters<typeof requestOf>[0]) =>
  decide(requestOf(facts), compilePolicy(policy)).kind === "allow"

describe("a policy widened by one route", () => {
  test("has a new host at its end", () => {
    const asked = routeOf({ host: "new.test", matches: [get] })
    expect(widenPolicy(policyOf([routeOf()]), asked).routes).toEqual([routeOf(), asked])
  })

  test("gives a known host one more entry and keeps its credential, whatever is asked", () => {
    const known = routeOf({ auth, matches: [get], connect_to: "10.0.0.1", allow_private: true })
    const asked = routeOf({ host: "API.test.", matches: [post], auth: { ...auth, token_ref: "OTHER" } })
    expect(widenPolicy(policyOf([known]), asked).routes).toEqual([{ ...known, matches: [get, post] }])
  })

  test.each([
    ["what is there", policyOf([routeOf({ matches: [get] })]), routeOf({ matches: [get] })],
    ["a part of a whole host", policyOf([routeOf()]), routeOf({ matches: [get] })],
    ["a host on the allowlist", policyOf([], { allowlist: ["api.test"] }), routeOf({ matches: [get] })],
    [
      "a host below a listed wildcard",
      policyOf([], { allowlist: ["*.test.example"] }),
      routeOf({ host: "x.test.example" }),
    ],
    ["a host below a whole wildcard", policyOf([routeOf({ host: "*.w.test" })]), routeOf({ host: "x.w.test" })],
  ])("is the same when it asks for %s", (_what, policy, asked) => {
    expect(widenPolicy(policy, asked)).toBe(policy)
  })

  test("leaves a host what a wildcard or the allowlist gave it", () => {
    const wild = policyOf([routeOf({ host: "*.w.test", matches: [get] })], { allowlist: ["listed.test"] })
    const below = widenPolicy(wild, routeOf({ host: "x.w.test", matches: [post] }))
    expect(passes(below, { host: "x.w.test", path: "/a" })).toBe(true)
    expect(passes(below, { host: "x.w.test", method: "POST", path: "/b" })).toBe(true)
    expect(passes(below, { host: "y.w.test", method: "POST", path: "/b" })).toBe(false)
    const listed = widenPolicy(wild, routeOf({ host: "listed.test", port: 8443 }))
    expect(passes(listed, { host: "listed.test", path: "/" })).toBe(true)
    expect(passes(listed, { host: "listed.test", path: "/", port: 8443 })).toBe(true)
  })
})

describe("a rule for one request", () => {
  const policy = policyOf([routeOf({ auth, matches: [get] })])
  const rule = { id: "d1", route: onceRoute(policy, routeOf({ matches: [post] })) }
  const rules = compileOnce({ ...policy, once: [rule, { id: "d2", route: routeOf({ host: "new.test" }) }] })

  test("permits what its route permits, with what the host says of itself, and nothing else", () => {
    expect(rule.route).toEqual(routeOf({ auth, matches: [post] }))
    expect(findOnce(requestOf({ method: "POST", path: "/b" }), rules)?.id).toBe("d1")
    expect(findOnce(requestOf({ method: "PUT", path: "/b" }), rules)).toBeUndefined()
    expect(connectOnce("new.test", 443, rules)?.kind).toBe("allow")
    expect(connectOnce("other.test", 443, rules)).toBeUndefined()
  })

  test("is gone when it was used, and the policy is then the one without it", () => {
    const both = { ...policy, once: [rule] }
    expect(withoutOnce(both, new Set(["d1"]))).toEqual(policy)
    expect(withoutOnce(both, new Set(["d2"]))).toBe(both)
  })
})
