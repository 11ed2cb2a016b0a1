import { describe, expect, test } from "bun:test"
import { decide } from "../../../src/policy/decide.ts"
import type { PathRule, Route, RouteMatch } from "../../../src/policy/types.ts"
import { uniteRoutes } from "../../../src/policy/unite.ts"
import { compiledOf, randomFrom, requestOf, routeOf } from "./request.ts"

const getA: RouteMatch = { methods: ["GET"], paths: [{ type: "exact", value: "/a" }] }
const postB: RouteMatch = { methods: ["POST"], paths: [{ type: "exact", value: "/b" }] }
const auth = { scheme: "Bearer", token_ref: "SLOT" }

function united(a: readonly Route[], b: readonly Route[]): readonly Route[] {
  const result = uniteRoutes(a, b)
  if (result.kind === "conflict") throw new Error(`conflict of ${result.field}`)
  return result.routes
}

describe("uniting routes", () => {
  test("appends matches and multiplies nothing", () => {
    expect(united([routeOf({ matches: [getA] })], [routeOf({ matches: [postB] })])).toEqual([
      routeOf({ matches: [getA, postB] }),
    ])
  })

  test("drops duplicates, whatever the order of their keys", () => {
    const again: RouteMatch = { paths: [{ value: "/a", type: "exact" }], methods: ["GET"] }
    expect(united([routeOf({ matches: [getA] })], [routeOf({ matches: [again] })])).toEqual([
      routeOf({ matches: [getA] }),
    ])
  })

  test("keeps a host that already permits everything as it is", () => {
    expect(united([routeOf()], [routeOf({ matches: [postB] })])).toEqual([routeOf()])
    expect(united([routeOf({ matches: [getA] })], [routeOf()])).toEqual([routeOf()])
  })

  test("keeps the order of first mention", () => {
    const [one, two, three] = ["one.test", "two.test", "three.test"].map((host) => routeOf({ host, matches: [getA] }))
    const hosts = united([one!, two!], [three!, one!]).map((route) => route.host)
    expect(hosts).toEqual(["one.test", "two.test", "three.test"])
  })

  test("keeps other schemes and ports apart", () => {
    expect(united([routeOf()], [routeOf({ port: 8443 }), routeOf({ scheme: "http", port: 80 })])).toHaveLength(3)
  })

  test("compares hosts canonically", () => {
    expect(united([routeOf({ matches: [getA] })], [routeOf({ host: "API.test.", matches: [postB] })])).toHaveLength(1)
  })

  test("unites what one list says twice", () => {
    expect(united([], [routeOf({ matches: [getA] }), routeOf({ matches: [postB] })])).toHaveLength(1)
  })

  test("changes neither list", () => {
    const a = Object.freeze([Object.freeze(routeOf({ matches: Object.freeze([getA]) }))])
    united(a, [routeOf({ matches: [postB] })])
    expect(a).toEqual([routeOf({ matches: [getA] })])
  })

  test("keeps auth when a later entry has none and permits nothing more", () => {
    const route = routeOf({ auth, matches: [getA, postB] })
    for (const matches of [[], [getA], [postB, getA]]) expect(united([route], [routeOf({ matches })])).toEqual([route])
    expect(united([routeOf({ auth })], [routeOf({ matches: [postB] })])).toEqual([routeOf({ auth })])
  })

  test("lets a route without matches of its own add how to connect", () => {
    const provider = routeOf({ auth, matches: [getA] })
    const connection = routeOf({ matches: [], connect_to: "127.0.0.1:8443", ca: "PEM" })
    const both = routeOf({ auth, matches: [getA], connect_to: "127.0.0.1:8443", ca: "PEM" })
    expect(united([provider], [connection])).toEqual([both])
    expect(united([connection], [provider])).toEqual([both])
  })

  test("lets the flags of either side hold for the host", () => {
    const a = routeOf({ git: { fetch: true }, keep_headers: ["X-A"], allow_private: true })
    const b = routeOf({ git: { fetch: false }, keep_headers: ["x-a", "x-b"], websocket: true })
    expect(united([a], [b])).toEqual([
      routeOf({ git: { fetch: true }, keep_headers: ["X-A", "x-b"], allow_private: true, websocket: true }),
    ])
  })

  test.each<["auth" | "connect_to" | "ca" | "dlp", Partial<Route>, Partial<Route>]>([
    ["auth", { auth }, { auth: { ...auth, token_ref: "OTHER" } }],
    ["auth", {}, { auth }],
    ["auth", { matches: [], git: { fetch: true } }, { auth }],
    ["auth", { auth, matches: [getA] }, { matches: [postB] }],
    ["auth", { auth, matches: [getA] }, {}],
    ["auth", { auth, matches: [getA] }, { matches: [], git: { fetch: true } }],
    ["connect_to", { connect_to: "10.0.0.1" }, { connect_to: "10.0.0.2" }],
    ["ca", { ca: "A" }, { ca: "B" }],
    ["dlp", { dlp: { off: true } }, { dlp: { off: false } }],
  ])("returns a conflict of %s as a value", (field, a, b) => {
    expect(uniteRoutes([routeOf(a)], [routeOf(b)])).toEqual({ kind: "conflict", host: "api.test", field })
  })

  test("permits exactly what one or the other permitted", () => {
    const random = randomFrom(42)
    const paths = ["/", "/a", "/a/b", "/ab", "/b", "/a%2Fb", "/r/info/refs", "/r/git-upload-pack"]
    const methods = ["GET", "POST", "PUT"]
    const hosts = ["a.test", "b.test", "*.w.test"]
    const headers = [["x-env", "dev"] as const, ["x-env", "prod"] as const]
    const rules: PathRule[] = [
      { type: "prefix", value: "/a" },
      { type: "prefix", value: "/" },
      { type: "exact", value: "/b" },
      { type: "regex", value: "/[^/]+" },
      { type: "regex", value: "/a.*" },
    ]
    const some = <T>(items: readonly T[]) => items.filter(() => random.below(2) === 0)
    const match = (): RouteMatch => ({
      ...(random.below(2) ? { methods: some(methods) } : {}),
      ...(random.below(2) ? { paths: some(rules) } : {}),
      ...(random.below(4) === 0 ? { headers: [{ name: "X-Env", value: "dev" }] } : {}),
    })
    const route = (): Route => {
      const plain = random.below(4) === 0
      return {
        host: random.pick(hosts),
        scheme: plain ? "http" : "https",
        port: plain ? 80 : random.pick([443, 8443]),
        ...(random.below(6) ? { matches: Array.from({ length: random.below(3) }, match) } : {}),
        ...(random.below(4) === 0 ? { git: { fetch: random.below(2) === 0 } } : {}),
      }
    }
    // Every list is made sound first: the same host twice in one list is the loader's case, tested above.
    const list = () => united([], Array.from({ length: random.below(4) }, route))
    let permitted = 0
    for (let i = 0; i < 400; i++) {
      const [a, b] = [list(), list()]
      const [one, other, both] = [compiledOf(a), compiledOf(b), compiledOf(united(a, b))]
      for (let j = 0; j < 60; j++) {
        const request = requestOf({
          host: random.pick(["a.test", "b.test", "x.w.test", "y.x.w.test", "w.test"]),
          ...random.pick([
            { scheme: "https" as const, port: 443 },
            { scheme: "https" as const, port: 8443 },
            { scheme: "http" as const, port: 80 },
          ]),
          method: random.pick(methods),
          path: random.pick(paths),
          query: random.pick(["", "service=git-upload-pack"]),
          headers: some(headers),
        })
        const expected = decide(request, one).kind === "allow" || decide(request, other).kind === "allow"
        if (expected) permitted++
        const actual = decide(request, both).kind === "allow"
        if (actual !== expected) throw new Error(JSON.stringify({ a, b, request, expected }, null, 1))
      }
    }
    expect(permitted).toBeGreaterThan(2000)
  })
})
