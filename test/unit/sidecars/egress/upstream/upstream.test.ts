import { describe, expect, test } from "bun:test"
import { PassThrough } from "node:stream"
import { UpstreamConnection, UpstreamPool } from "../../../../../sidecars/egress/upstream/pool.ts"
import { chooseAddresses } from "../../../../../sidecars/egress/upstream/resolve.ts"
import { createTargets, splitHostPort } from "../../../../../sidecars/egress/upstream/target.ts"
import type { Route } from "../../../../../src/policy/types.ts"

const deps = (addresses: string[], own: string[] = []) => ({
  ...{ resolve: async () => addresses, ownAddresses: () => own, resolveTime: 1000 },
})

describe("the addresses of a name", () => {
  test("are those that are globally routable, among whatever the name says", async () => {
    const chosen = await chooseAddresses("x.test", false, deps(["10.0.0.1", "8.8.8.8", "::1", "169.254.169.254"]))
    expect(chosen).toEqual(["8.8.8.8"])
  })

  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "fe80::1",
    "fd00::1",
  ])("%s is none of them", async (address) => {
    expect(await chooseAddresses("x.test", false, deps([address]))).toMatchObject({ kind: "private-address" })
  })

  test("are not this host's own, in any spelling", async () => {
    const own = deps(["::ffff:8.8.8.8", "2001:4860:0::8888"], ["8.8.8.8", "2001:4860::8888"])
    expect(await chooseAddresses("x.test", false, own)).toMatchObject({ kind: "private-address" })
  })

  test("may be private where the route says so", async () => {
    expect(await chooseAddresses("x.test", true, deps(["10.0.0.1"]))).toEqual(["10.0.0.1"])
  })

  test("of an address are itself, unresolved", async () => {
    const none = { ...deps([]), resolve: () => Promise.reject(new Error("asked")) }
    expect(await chooseAddresses("[2606:4700::1]", false, none)).toEqual(["2606:4700::1"])
  })
})

describe("a target", () => {
  const route: Route = { host: "x.test", scheme: "https", port: 443 }
  const place = { scheme: "https", host: "x.test", port: 443 } as const
  const keyOf = (more: Partial<Route>, upstream_proxy?: string) => {
    const whole = { ...route, ...more }
    const policy = {
      routes: [whole],
      allowlist: [],
      log: 0 as const,
      supervise: true,
      ...(upstream_proxy && { upstream_proxy }),
    }
    return createTargets(policy).of(place, whole).key
  }

  test("shares connections only with what is dialled and trusted alike", () => {
    const keys = [
      keyOf({}),
      keyOf({ ca: "x" }),
      keyOf({ allow_private: true }),
      keyOf({ connect_to: "1.2.3.4" }),
      keyOf({}, "http://p:1"),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(keyOf({ websocket: true })).toBe(keyOf({}))
  })

  test.each([
    ["1.2.3.4", "1.2.3.4", 443],
    ["1.2.3.4:8443", "1.2.3.4", 8443],
    ["inner.test:1", "inner.test", 1],
    ["::1", "::1", 443],
    ["[::1]:99", "::1", 99],
  ])("%s is dialled at %s port %i", (text, host, port) => {
    expect(splitHostPort(text, 443)).toEqual({ host, port })
  })

  test.each(["", "a:b", "a:0", "a:70000", "http://a", "u@a", "a b"])("%p is refused", (text) => {
    expect(() => splitHostPort(text, 443)).toThrow()
  })
})

describe("the pool", () => {
  let now = 0
  const make = () => new UpstreamConnection(new PassThrough(), "k")

  test("gives the last one back, and none that is old, stale, used by another policy or spoke unasked", async () => {
    const pool = new UpstreamPool(() => now)
    const [a, b, c] = [make(), make(), make()]
    pool.give(a)
    pool.give(b)
    expect(pool.take("k", false)).toBe(b)
    expect(pool.take("other", false)).toBeUndefined()
    now += 10_000
    expect(pool.take("k", true)).toBeUndefined()
    expect(pool.take("k", false)).toBe(a)
    pool.give(a)
    ;(a.stream as PassThrough).write("unasked")
    await new Promise((resolve) => setImmediate(resolve))
    expect(pool.take("k", false)).toBeUndefined()
    pool.flush()
    pool.give(c)
    expect([pool.take("k", false), c.stream.destroyed]).toEqual([undefined, true])
  })
})
