// Longer than 300 lines because it is a table: one entry after the other, with nothing to split it by.
import { describe, expect, test } from "bun:test"
import { decide, decideConnect } from "../../../src/policy/decide.ts"
import type { DenyReason, RequestFacts, Route, Verdict } from "../../../src/policy/types.ts"
import { compiledOf, requestOf, routeOf } from "./request.ts"

function outcome(verdict: Verdict): string {
  return verdict.kind === "allow" ? "allow" : verdict.reason
}

function judge(route: Partial<Route>, request: Partial<RequestFacts>): string {
  return outcome(decide(requestOf(request), compiledOf([routeOf(route)])))
}

describe("an unlisted host", () => {
  test("is refused by egress, which offers egress-block before pipelock-block", () => {
    const verdict = decide(requestOf({ host: "other.test" }), compiledOf([routeOf()]))
    expect(verdict).toMatchObject({ kind: "deny", gate: "egress", reason: "unlisted-host" })
    expect(verdict.kind === "deny" && verdict.remedy).toMatch(/egress-block.*pipelock-block/)
  })

  test("is refused without naming a tool when there is no supervise", () => {
    const verdict = decide(requestOf({ host: "other.test" }), compiledOf([routeOf()], { supervise: false }))
    expect(verdict.kind === "deny" && verdict.remedy).toBe(
      "Ask the operator to add a route for other.test to the bottle file.",
    )
  })

  test("is every host of an empty policy", () => {
    expect(outcome(decide(requestOf(), compiledOf([])))).toBe("unlisted-host")
  })
})

describe("scheme and port", () => {
  test.each<[string, Partial<Route>, Partial<RequestFacts>, string]>([
    ["https and 443 by default", {}, {}, "allow"],
    ["http to an https route", {}, { scheme: "http", port: 80 }, "wrong-scheme"],
    ["http on port 443", {}, { scheme: "http" }, "wrong-scheme"],
    ["another port", {}, { port: 8443 }, "wrong-port"],
    ["a route's own port", { port: 8443 }, { port: 8443 }, "allow"],
    ["443 where the route says another", { port: 8443 }, {}, "wrong-port"],
    ["an http route", { scheme: "http", port: 80 }, { scheme: "http", port: 80 }, "allow"],
    ["https to an http route", { scheme: "http", port: 80 }, {}, "wrong-scheme"],
  ])("%s", (_name, route, request, expected) => {
    expect(judge(route, request)).toBe(expected)
  })

  test("several routes of one host stand side by side", () => {
    const policy = compiledOf([
      routeOf({ matches: [{ methods: ["GET"] }] }),
      routeOf({ port: 8443, matches: [{ methods: ["POST"] }] }),
      routeOf({ scheme: "http", port: 80 }),
    ])
    const cases: [Partial<RequestFacts>, string][] = [
      [{}, "allow"],
      [{ method: "POST" }, "no-match"],
      [{ method: "POST", port: 8443 }, "allow"],
      [{ port: 8443 }, "no-match"],
      [{ scheme: "http", port: 80, method: "PUT" }, "allow"],
      [{ scheme: "http", port: 8443 }, "wrong-port"],
    ]
    for (const [request, expected] of cases) expect(outcome(decide(requestOf(request), policy))).toBe(expected)
  })
})

describe("the allowlist", () => {
  const policy = compiledOf([routeOf({ matches: [{ methods: ["GET"] }] })], {
    allowlist: ["whole.test", "*.wide.test", "api.test"],
  })

  test.each<[string, Partial<RequestFacts>, string]>([
    ["passes a host whole", { host: "whole.test", method: "DELETE", path: "/x" }, "allow"],
    ["passes subdomains of a wildcard", { host: "a.b.wide.test" }, "allow"],
    ["does not pass the wildcard's own name", { host: "wide.test" }, "unlisted-host"],
    ["refuses another port", { host: "whole.test", port: 8443 }, "wrong-port"],
    ["refuses plain http", { host: "whole.test", scheme: "http", port: 80 }, "wrong-scheme"],
    ["does not overrule a route", { method: "POST" }, "no-match"],
    ["does not let an upgrade pass", { host: "whole.test", headers: [["Upgrade", "websocket"]] }, "upgrade"],
    ["does not let a push pass", { host: "whole.test", method: "POST", path: "/r/git-receive-pack" }, "git-push"],
  ])("%s", (_name, request, expected) => {
    expect(outcome(decide(requestOf(request), policy))).toBe(expected)
  })

  test("names pipelock as the gate, both ways", () => {
    expect(decide(requestOf({ host: "whole.test" }), policy)).toEqual({
      kind: "allow",
      gate: "pipelock",
      because: "whole.test is on the allowlist",
    })
    expect(decide(requestOf({ host: "whole.test", port: 1 }), policy)).toMatchObject({ gate: "pipelock" })
  })
})

describe("wildcard routes", () => {
  const policy = compiledOf([
    routeOf({ host: "*.example.test", matches: [{ methods: ["GET"] }] }),
    routeOf({ host: "*.deep.example.test", matches: [{ methods: ["POST"] }] }),
    routeOf({ host: "one.deep.example.test", matches: [{ methods: ["PUT"] }] }),
  ])

  test.each([
    ["a.example.test", "GET", "allow"],
    ["a.b.example.test", "GET", "allow"],
    ["example.test", "GET", "unlisted-host"],
    ["badexample.test", "GET", "unlisted-host"],
    ["x.deep.example.test", "POST", "allow"],
    ["x.deep.example.test", "GET", "no-match"],
    ["deep.example.test", "GET", "allow"],
    ["one.deep.example.test", "PUT", "allow"],
    ["one.deep.example.test", "POST", "no-match"],
    ["example.test.evil.test", "GET", "unlisted-host"],
  ])("%s %s: %s", (host, method, expected) => {
    expect(outcome(decide(requestOf({ host, method }), policy))).toBe(expected)
  })
})

describe("matches", () => {
  test.each<[string, Route["matches"], Partial<RequestFacts>, string]>([
    ["absent: everything", undefined, { method: "PATCH", path: "/x/y" }, "allow"],
    ["an empty list: nothing", [], {}, "no-match"],
    ["an entry without dimensions: everything", [{}], { method: "DELETE" }, "allow"],
    ["no method in the list: nothing", [{ methods: [] }], {}, "no-match"],
    ["no path in the list: nothing", [{ paths: [] }], {}, "no-match"],
    ["methods are not crossed", [{ methods: ["GET"] }], { method: "HEAD" }, "no-match"],
    ["a rule's method may be written small", [{ methods: ["get"] }], {}, "allow"],
    [
      "entries are not multiplied",
      [
        { methods: ["GET"], paths: [{ type: "exact", value: "/a" }] },
        { methods: ["POST"], paths: [{ type: "exact", value: "/b" }] },
      ],
      { method: "POST", path: "/a" },
      "no-match",
    ],
  ])("%s", (_name, matches, request, expected) => {
    expect(judge(matches === undefined ? {} : { matches }, request)).toBe(expected)
  })

  test.each<["prefix" | "exact" | "regex", string, string, boolean]>([
    ["prefix", "/a", "/a", true],
    ["prefix", "/a", "/a/b", true],
    ["prefix", "/a", "/a/", true],
    ["prefix", "/a", "/ab", false],
    ["prefix", "/a", "/a.b", false],
    ["prefix", "/a", "/a;x", false],
    ["prefix", "/a", "/A", false],
    ["prefix", "/a", "/x/a", false],
    ["prefix", "/a/", "/a/b", true],
    ["prefix", "/a/", "/a", false],
    ["prefix", "/", "/anything", true],
    ["prefix", "/@types", "/@types/node", true],
    ["prefix", "/@types", "/@types%2Fnode", false],
    ["prefix", "/@types%2Fnode", "/@types%2Fnode", true],
    ["prefix", "/a", "/a/b%2Fc", true],
    ["prefix", "/my docs", "/my docs/x", true],
    ["prefix", "/my%20docs", "/my docs/x", true],
    ["prefix", "/café", "/café", true],
    ["exact", "/a", "/a", true],
    ["exact", "/a", "/a/", false],
    ["exact", "/a", "/a/b", false],
    ["exact", "/@types%2fnode", "/@types%2Fnode", true],
    ["exact", "/@types/node", "/@types%2Fnode", false],
    ["regex", "/repos/[^/]+/pulls", "/repos/x/pulls", true],
    ["regex", "/repos/[^/]+/pulls", "/repos/x%2Fadmin/pulls", false],
    ["regex", "/repos/[^/]+/pulls", "/repos/x/pulls/1", false],
    ["regex", "/repos/.+/pulls", "/repos/x%2Fadmin/pulls", true],
    ["regex", "^/a$", "/a", true],
  ])("%s %s on %s: %p", (type, value, path, expected) => {
    expect(judge({ matches: [{ paths: [{ type, value }] }] }, { path })).toBe(expected ? "allow" : "no-match")
  })

  test.each<[string, { name: string; value?: string }, RequestFacts["headers"], boolean]>([
    ["presence, in any case", { name: "X-Env" }, [["x-ENV", ""]], true],
    ["absence", { name: "X-Env" }, [["X-Environment", "dev"]], false],
    ["the value", { name: "x-env", value: "dev" }, [["X-Env", "dev"]], true],
    ["another value", { name: "x-env", value: "dev" }, [["X-Env", "Dev"]], false],
    [
      "twice the value",
      { name: "x-env", value: "dev" },
      [
        ["X-Env", "dev"],
        ["x-env", "dev"],
      ],
      true,
    ],
    [
      "two different values",
      { name: "x-env", value: "dev" },
      [
        ["X-Env", "dev"],
        ["x-env", "prod"],
      ],
      false,
    ],
  ])("a header rule: %s", (_name, rule, headers, expected) => {
    expect(judge({ matches: [{ headers: [rule] }] }, { headers })).toBe(expected ? "allow" : "no-match")
  })

  test("the allowance says which rule let it through", () => {
    const route = routeOf({ matches: [{ methods: ["POST"] }, { paths: [{ type: "prefix", value: "/a" }] }] })
    expect(decide(requestOf({ path: "/a/b" }), compiledOf([route]))).toEqual({
      kind: "allow",
      gate: "egress",
      route,
      because: "route https://api.test, /a and below",
    })
  })
})

describe("methods", () => {
  test.each<[string, DenyReason]>([
    ["TRACE", "forbidden-method"],
    ["TRACK", "forbidden-method"],
    ["CONNECT", "forbidden-method"],
    ["get", "bad-request"],
    ["Trace", "bad-request"],
    ["", "bad-request"],
    ["GET ", "bad-request"],
    ["GET\r\n", "bad-request"],
  ])("%j is refused on a whole host: %s", (method, reason) => {
    expect(judge({}, { method })).toBe(reason)
  })

  test.each(["M-SEARCH", "VERSION-CONTROL", "PROPFIND"])("%s passes on a whole host", (method) => {
    expect(judge({}, { method })).toBe("allow")
  })
})

describe("upgrades", () => {
  const headers: RequestFacts["headers"] = [
    ["Connection", "upgrade"],
    ["Upgrade", "WebSocket"],
  ]
  test.each<[string, Partial<Route>, Partial<RequestFacts>, string]>([
    ["a WebSocket on a route that allows it", { websocket: true }, { headers }, "allow"],
    ["a WebSocket on a route that does not say so", {}, { headers }, "upgrade"],
    ["a WebSocket by POST", { websocket: true }, { headers, method: "POST" }, "upgrade"],
    ["another protocol", { websocket: true }, { headers: [["upgrade", "h2c"]] }, "upgrade"],
    ["two protocols", { websocket: true }, { headers: [["upgrade", "websocket, h2c"]] }, "upgrade"],
  ])("%s", (_name, route, request, expected) => {
    expect(judge(route, request)).toBe(expected)
  })
})

describe("git over https", () => {
  const closed: Partial<Route> = { matches: [], git: { fetch: true } }
  const discovery = { path: "/o/r.git/info/refs" }
  test.each<[string, Partial<Route>, Partial<RequestFacts>, string]>([
    ["discovery for fetch", closed, { ...discovery, query: "service=git-upload-pack" }, "allow"],
    ["fetch", closed, { method: "POST", path: "/o/r.git/git-upload-pack" }, "allow"],
    ["fetch without git.fetch", { matches: [] }, { method: "POST", path: "/o/r.git/git-upload-pack" }, "no-match"],
    ["fetch by PUT", closed, { method: "PUT", path: "/o/r.git/git-upload-pack" }, "no-match"],
    ["something else on the route", closed, { path: "/o/r" }, "no-match"],
    ["dumb discovery", closed, { ...discovery, query: "" }, "no-match"],
    ["discovery with more in the query", closed, { ...discovery, query: "service=git-upload-pack&x=1" }, "no-match"],
    ["discovery with an unknown query", closed, { path: "/r/info/refs", query: undefined as never }, "git-push"],
    ["discovery for push", {}, { ...discovery, query: "service=git-receive-pack" }, "git-push"],
    ["both services", {}, { ...discovery, query: "service=git-upload-pack&service=git-receive-pack" }, "git-push"],
    ["an escaped service", {}, { ...discovery, query: "service=git%2dreceive%2dpack" }, "git-push"],
    ["push", {}, { method: "POST", path: "/o/r.git/git-receive-pack" }, "git-push"],
    ["push on a git.fetch route", closed, { method: "POST", path: "/o/r.git/git-receive-pack" }, "git-push"],
    ["push in capitals", {}, { method: "POST", path: "/o/r/GIT-RECEIVE-PACK" }, "git-push"],
    ["push with a parameter", {}, { method: "POST", path: "/o/r/git-receive-pack;a" }, "git-push"],
    ["push with a slash", {}, { method: "POST", path: "/o/r/git-receive-pack/" }, "git-push"],
    ["push behind an escaped slash", {}, { method: "POST", path: "/o/r%2Fgit-receive-pack" }, "git-push"],
    ["discovery for push in capitals", {}, { path: "/r/INFO/REFS", query: "service=git-receive-pack" }, "git-push"],
    ["a page about it", {}, { path: "/docs/git-receive-pack" }, "allow"],
  ])("%s", (_name, route, request, expected) => {
    expect(judge(route, request)).toBe(expected)
  })

  test("a refused push names git-gate", () => {
    const verdict = decide(requestOf({ method: "POST", path: "/r/git-receive-pack" }), compiledOf([routeOf()]))
    expect(verdict.kind === "deny" && verdict.remedy).toContain("git-gate")
  })
})

describe("a decision", () => {
  test.each(["", "a", "/a/../b", "/a//b", "/a\\b", "/a\0", "/..%2Fb"])(
    "never trusts the path %j to be canonical",
    (path) => {
      expect(judge({}, { path })).toBe("bad-path")
    },
  )

  test("is a denial when anything inside fails", () => {
    const broken = {} as RequestFacts
    expect(decide(broken, compiledOf([]))).toMatchObject({ kind: "deny", gate: "egress", reason: "bad-request" })
    expect(decide(requestOf(), {} as never)).toMatchObject({ kind: "deny", reason: "internal-error" })
    expect(decideConnect("api.test", 443, {} as never)).toMatchObject({ kind: "deny", reason: "internal-error" })
    const throwing = requestOf()
    Object.defineProperty(throwing, "headers", {
      get: () => {
        throw new Error("boom")
      },
    })
    expect(decide(throwing, compiledOf([routeOf()]))).toMatchObject({ reason: "internal-error" })
  })
})

describe("a CONNECT", () => {
  const policy = compiledOf(
    [
      routeOf({ matches: [] }),
      routeOf({ host: "odd.test", port: 8443 }),
      routeOf({ host: "plain.test", scheme: "http", port: 80 }),
    ],
    { allowlist: ["whole.test"] },
  )
  test.each<[string, number, string]>([
    ["api.test", 443, "allow"],
    ["api.test", 80, "wrong-port"],
    ["api.test", 22, "wrong-port"],
    ["odd.test", 8443, "allow"],
    ["odd.test", 443, "wrong-port"],
    ["plain.test", 80, "allow"],
    ["plain.test", 443, "wrong-port"],
    ["whole.test", 443, "allow"],
    ["whole.test", 8443, "wrong-port"],
    ["other.test", 443, "unlisted-host"],
  ])("to %s:%d: %s", (host, port, expected) => {
    expect(outcome(decideConnect(host, port, policy))).toBe(expected)
  })
})

describe("a policy with an unsound rule", () => {
  test.each<[string, Route, string, string]>([
    ["a host that is none", routeOf({ host: "a b" }), "routes[0]", "space"],
    ["a credential on plain http", routeOf({ scheme: "http", port: 80, auth }), "routes[0]", "http"],
    ["a credential on a wildcard", routeOf({ host: "*.api.test", auth }), "routes[0]", "wildcard"],
    ["a dangerous pattern", withPath("regex", "(?=a)"), "routes[0].matches[0].paths[0]", "lookaround"],
    ["a path with dots", withPath("prefix", "/a/../b"), "routes[0].matches[0].paths[0]", "dot segment"],
    ["a path without its slash", withPath("exact", "a"), "routes[0].matches[0].paths[0]", "slash"],
    ["a path with a query", withPath("exact", "/a?x=1"), "routes[0].matches[0].paths[0]", "query"],
  ])("%s is listed and permits nothing", (_name, route, where, why) => {
    const policy = compiledOf([route])
    expect(policy.problems).toHaveLength(1)
    expect(policy.problems[0]).toMatchObject({ where })
    expect(policy.problems[0]!.why).toContain(why)
    for (const path of ["/", "/a", "/b", "a"]) {
      for (const host of ["api.test", "x.api.test", "a b"]) {
        const request = requestOf({ host, path, scheme: route.scheme, port: route.port })
        expect(decide(request, policy).kind).toBe("deny")
      }
    }
  })

  test("names an unsound line of the allowlist", () => {
    expect(compiledOf([], { allowlist: ["ok.test", "not ok"] }).problems).toMatchObject([{ where: "allowlist[1]" }])
  })
})

const auth = { scheme: "Bearer", token_ref: "SLOT" }

function withPath(type: "prefix" | "exact" | "regex", value: string): Route {
  return routeOf({ matches: [{ paths: [{ type, value }] }] })
}
