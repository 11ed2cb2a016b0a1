import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { failureOf, makeManifestHome } from "./manifest-home.ts"

const home = makeManifestHome()
afterAll(() => home.remove())

async function readRoute(yaml: string) {
  home.bottle("dev", `egress:\n  routes:\n    - ${yaml}`)
  const [route] = (await home.manifests.loadBottles(["dev"])).egress.routes
  return route
}

async function refusalOf(yaml: string) {
  return (await failureOf(readRoute(yaml))).message.replace(/^\S+ /, "")
}

describe("a route", () => {
  test.each([
    ["{ host: API.GitHub.com. }", { host: "api.github.com", scheme: "https", port: 443 }],
    ["{ host: a.example, scheme: http }", { host: "a.example", scheme: "http", port: 80 }],
    ["{ host: a.example, port: 8443 }", { host: "a.example", scheme: "https", port: 8443 }],
    ['{ host: "*.Example.com" }', { host: "*.example.com", scheme: "https", port: 443 }],
    ["{ host: bücher.example }", { host: "xn--bcher-kva.example", scheme: "https", port: 443 }],
    ['{ host: "0x7f.1" }', { host: "127.0.0.1", scheme: "https", port: 443 }],
    [
      "{ host: a.example, git: { fetch: true } }",
      { host: "a.example", scheme: "https", port: 443, git: { fetch: true } },
    ],
    ["{ host: a.example, matches: [] }", { host: "a.example", scheme: "https", port: 443, matches: [] }],
  ])("%s is read", async (yaml, route) => {
    expect(await readRoute(yaml)).toEqual(route as never)
  })

  test("takes path_allowlist as one entry of prefixes", async () => {
    expect((await readRoute("{ host: a.example, path_allowlist: [/a, /b/] }"))?.matches).toEqual([
      {
        paths: [
          { type: "prefix", value: "/a" },
          { type: "prefix", value: "/b/" },
        ],
      },
    ])
  })

  test("takes methods in any case, headers and every form of path", async () => {
    const yaml =
      'host: a.example\n      matches:\n        - { methods: [get], headers: [{ name: X-A, value: b }, { name: X-C }] }\n        - paths: [{ type: exact, value: /x }, { type: regex, value: "/v[0-9]+/.*" }]'
    expect((await readRoute(yaml))?.matches).toEqual([
      { methods: ["GET"], headers: [{ name: "X-A", value: "b" }, { name: "X-C" }] },
      {
        paths: [
          { type: "exact", value: "/x" },
          { type: "regex", value: "/v[0-9]+/.*" },
        ],
      },
    ])
  })

  test("has its CA's path made absolute, from the folder of the file that names it", async () => {
    expect((await readRoute("{ host: a.example, ca: ca/own.pem }"))?.ca).toBe(join(home.home, "bottles/ca/own.pem"))
    expect((await readRoute("{ host: a.example, ca: ~/own.pem }"))?.ca).toBe(join(home.userHome, "own.pem"))
    expect((await readRoute("{ host: a.example, ca: /etc/own.pem }"))?.ca).toBe("/etc/own.pem")
  })

  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1:8443", "127.0.0.1:8443"],
    ["Mirror.example:443", "mirror.example:443"],
    ["::1", "[::1]"],
    ["[::1]:8443", "[::1]:8443"],
  ])("dials connect_to %s", async (text, dialled) => {
    expect((await readRoute(`{ host: a.example, connect_to: "${text}" }`))?.connect_to).toBe(dialled)
  })

  test.each([
    [
      'connect_to: "mirror.example"',
      "egress.routes[0].connect_to: expected an address or host:port: a name needs its port",
    ],
    [
      'connect_to: "mirror.example:0"',
      "egress.routes[0].connect_to: expected an address or host:port: its port is not a number from 1 to 65535",
    ],
    [
      'connect_to: "https://mirror.example:1"',
      "egress.routes[0].connect_to: expected an address or host:port: its port is not a number from 1 to 65535",
    ],
    ["matches: [], path_allowlist: [/a]", "egress.routes[0].path_allowlist: write either matches or path_allowlist"],
    ["matches: [{ methods: [TRACE] }]", "egress.routes[0].matches[0].methods[0]: TRACE is never let through"],
    [
      'matches: [{ paths: [{ type: regex, value: "(a" }] }]',
      "egress.routes[0].matches[0].paths[0].value: can never match: the pattern has a ( without its )",
    ],
    ["path_allowlist: [a]", "egress.routes[0].path_allowlist[0]: can never match: a path begins with /"],
    [
      'auth: { scheme: "header:X Key", token_ref: T }',
      "egress.routes[0].auth.scheme: expected Bearer, token, Basic or header:<Name>",
    ],
    ["auth: { scheme: Bearer }", "egress.routes[0].auth.token_ref: missing"],
    ['keep_headers: ["a b"]', "egress.routes[0].keep_headers[0]: not a header name"],
    ["port: 0", "egress.routes[0].port: must be at least 1"],
    ["git: { push: true }", "egress.routes[0].git.push: unknown key"],
  ])("with %s is refused", async (yaml, line) => {
    expect(await refusalOf(`{ host: a.example, ${yaml} }`)).toBe(line)
  })

  test.each([
    ["*"],
    ["*.com"],
    ["*.1.2.3.4"],
    ["a..b"],
    [""],
    ["a b"],
    ["http://a.example"],
    ["a.example:443"],
    ["*.*.example.com"],
  ])("cannot have %p as its host", async (host) => {
    expect(await refusalOf(`{ host: ${JSON.stringify(host)} }`)).toStartWith("egress.routes[0].host: ")
  })
})

describe("upstream_proxy", () => {
  test.each([
    ["http://Proxy.example:3128", "http://proxy.example:3128"],
    ["http://[::1]:3128/", "http://[::1]:3128"],
  ])("%s is taken", async (written, proxy) => {
    home.bottle("dev", `egress: { upstream_proxy: "${written}" }`)
    expect((await home.manifests.loadBottles(["dev"])).egress.upstream_proxy).toBe(proxy)
  })

  test.each([
    ["https://p.example:1"],
    ["http://p.example"],
    ["http://u:p@p.example:1"],
    ["p.example:1"],
    ["http://p.example:1/x"],
  ])("%s is refused", async (written) => {
    home.bottle("dev", `egress: { upstream_proxy: "${written}" }`)
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).exitCode).toBe(3)
  })
})
