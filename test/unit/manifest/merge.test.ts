import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { failureOf, type ManifestHome, makeManifestHome } from "./manifest-home.ts"

let home: ManifestHome
beforeEach(() => {
  home = makeManifestHome()
})
afterEach(() => home.remove())

const load = (...names: string[]) => home.manifests.loadBottles(names)
const route = (host: string, rest = "") => `egress: { routes: [{ host: ${host}${rest} }] }`

describe("several bottles chosen at launch", () => {
  test("merge in order, the later one winning single values", async () => {
    home.bottle("a", "env: { X: a, Y: a }\nlimits: { pids: 100 }\negress: { log: 2 }\nsupervise: false")
    home.bottle("b", "env: { X: b }\nlimits: { pids: 200 }\negress: { log: 1 }")
    const [ab, ba] = await Promise.all([load("a", "b"), load("b", "a")])
    expect([ab.names, ba.names]).toEqual([
      ["a", "b"],
      ["b", "a"],
    ])
    expect([ab.env.X, ba.env.X]).toEqual([
      { kind: "literal", value: "b" },
      { kind: "literal", value: "a" },
    ])
    expect([ab.egress.log, ba.egress.log]).toEqual([1, 2])
    expect([ab.limits.pids, ba.limits.pids]).toEqual([200, 100])
    expect([ab.supervise, ba.supervise]).toEqual([false, false])
  })

  test("named twice count once, and so does a parent that both have", async () => {
    home.bottle("base", `env: { X: base }\n${route("base.example")}`)
    home.bottle("a", "extends: base\nenv: { X: a }")
    home.bottle("b", "extends: base")
    const bottle = await load("a", "b", "a", "base")
    expect(bottle.names).toEqual(["a", "b", "base"])
    expect(bottle.env.X).toEqual({ kind: "literal", value: "a" })
    expect(bottle.egress.routes).toHaveLength(1)
  })

  test("put their routes and allowlists together, without repeating any", async () => {
    home.bottle("a", `${route("a.example")}\npipelock: { allowlist: [x.example, y.example] }`)
    home.bottle("b", `${route("B.Example.")}\npipelock: { allowlist: [Y.example, z.example] }`)
    const bottle = await load("a", "b")
    expect(bottle.egress.routes.map(({ host }) => host)).toEqual(["a.example", "b.example"])
    expect(bottle.pipelock.allowlist).toEqual(["x.example", "y.example", "z.example"])
  })

  test("unite the routes of one host: entries are put side by side, never multiplied", async () => {
    home.bottle("a", route("h.example", ", matches: [{ methods: [GET], paths: [{ type: prefix, value: /a }] }]"))
    home.bottle("b", route("h.example", ", matches: [{ methods: [POST], paths: [{ type: prefix, value: /b }] }]"))
    expect((await load("a", "b")).egress.routes).toEqual([
      {
        host: "h.example",
        scheme: "https",
        port: 443,
        matches: [
          { methods: ["GET"], paths: [{ type: "prefix", value: "/a" }] },
          { methods: ["POST"], paths: [{ type: "prefix", value: "/b" }] },
        ],
      },
    ])
  })

  test("refuse two tokens for one host, naming both files", async () => {
    home.bottle("a", `env: {}\n${route("h.example", ", auth: { scheme: Bearer, token_ref: A }")}`)
    home.bottle("b", route("h.example", ", auth: { scheme: Bearer, token_ref: B }"))
    const failure = await failureOf(load("a", "b"))
    expect(failure.message).toBe("bottles/b.md:2:20 egress.routes[0]: h.example has another auth at bottles/a.md:3:20")
    expect(failure.exitCode).toBe(3)
  })

  test("keep git identity by field and repositories by name", async () => {
    home.bottle("a", "git-gate: { user: { name: A, email: a@a.example }, repos: { x: { url: one }, y: { url: two } } }")
    home.bottle("b", "git-gate: { user: { name: B }, repos: { y: { url: three } } }")
    const { gitGate } = await load("a", "b")
    expect(gitGate).toEqual({
      user: { name: "B", email: "a@a.example" },
      repos: { x: { url: "one" }, y: { url: "three" } },
    })
  })

  test("start the provider anew when the template changes", async () => {
    home.bottle("a", "agent_provider: { template: claude, auth_token: CLAUDE, settings: { model: x } }")
    home.bottle("b", "agent_provider: { settings: { theme: dark } }")
    home.bottle("c", "agent_provider: { template: codex }")
    expect((await load("a", "b")).provider).toEqual({
      template: "claude",
      auth_token: "CLAUDE",
      settings: { model: "x", theme: "dark" },
    })
    const changed = await load("a", "b", "c")
    expect(changed.provider).toEqual({ template: "codex", settings: {} })
    expect(changed.slots).toEqual([])
  })
})

describe("a child", () => {
  test("replaces its parents' egress as a whole", async () => {
    home.bottle("base", "egress: { routes: [{ host: a.example }], log: 2, upstream_proxy: http://proxy.example:3128 }")
    home.bottle("child", `extends: base\n${route("b.example")}`)
    expect((await load("child")).egress).toEqual({
      routes: [{ host: "b.example", scheme: "https", port: 443 }],
      log: 0,
    })
  })

  test("replaces the allowlist when it writes one, and keeps it otherwise", async () => {
    home.bottle("base", "pipelock: { allowlist: [a.example] }")
    home.bottle("same", "extends: base")
    home.bottle("other", "extends: base\npipelock: { allowlist: [b.example] }")
    expect((await load("same")).pipelock.allowlist).toEqual(["a.example"])
    expect((await load("other")).pipelock.allowlist).toEqual(["b.example"])
  })
})

test("two routes of one host in one file are one", async () => {
  home.bottle(
    "dev",
    "egress: { routes: [{ host: h.example, path_allowlist: [/a] }, { host: H.example, path_allowlist: [/b] }] }",
  )
  expect((await load("dev")).egress.routes).toEqual([
    {
      host: "h.example",
      scheme: "https",
      port: 443,
      matches: [{ paths: [{ type: "prefix", value: "/a" }] }, { paths: [{ type: "prefix", value: "/b" }] }],
    },
  ])
})
