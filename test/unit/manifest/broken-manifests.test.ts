import { afterAll, describe, expect, test } from "bun:test"
import { failureOf, makeManifestHome } from "./manifest-home.ts"

const home = makeManifestHome()
afterAll(() => home.remove())

describe("each broken bottle gives one exact line with its position, and exit 3", () => {
  test.each([
    [
      "a mistyped key",
      "egress:\n  routes:\n    - host: api.github.com\n      scheme: https\n      port: 443\n    - hots: example.com\n      host: example.com",
      "bottles/dev.md:7:7 egress.routes[1].hots: unknown key; did you mean host?",
    ],
    ["a key that is like none", "frobnicate: 1", "bottles/dev.md:2:1 frobnicate: unknown key"],
    [
      "a value of the wrong kind",
      "supervise: maybe",
      "bottles/dev.md:2:12 supervise: expected true, false, or keys with values",
    ],
    [
      "a required key that is missing",
      "egress:\n  routes:\n    - port: 443",
      "bottles/dev.md:4:7 egress.routes[0].host: missing",
    ],
    [
      "a word that is not one of the choices",
      "egress:\n  routes:\n    - host: a.example\n      matches:\n        - paths: [{ type: prefx, value: /a }]",
      "bottles/dev.md:6:27 egress.routes[0].matches[0].paths[0].type: expected one of prefix, exact, regex; did you mean prefix?",
    ],
    ["a key written twice", "env:\n  A: 1\n  A: 2", "bottles/dev.md:4:3 env.A: written twice"],
    [
      "a token over plain http",
      "egress:\n  routes:\n    - host: a.example\n      scheme: http\n      auth: { scheme: Bearer, token_ref: TOKEN }",
      "bottles/dev.md:6:13 egress.routes[0].auth: a token is sent over https only",
    ],
    [
      "a token to a wildcard",
      'egress:\n  routes:\n    - host: "*.a.example"\n      auth: { scheme: Bearer, token_ref: TOKEN }',
      "bottles/dev.md:5:13 egress.routes[0].auth: a token is sent to one host, not to a wildcard",
    ],
    [
      "a secret where a slot's name belongs",
      "egress:\n  routes:\n    - host: a.example\n      auth:\n        scheme: Bearer\n        token_ref: ghp_16C7e42F292c6912E7",
      "bottles/dev.md:7:20 egress.routes[0].auth.token_ref: expected a name such as API_TOKEN (capitals, digits, _), not a secret itself",
    ],
    [
      "a scheme of auth that is none",
      "egress:\n  routes:\n    - host: a.example\n      auth: { scheme: bearer, token_ref: TOKEN }",
      "bottles/dev.md:5:23 egress.routes[0].auth.scheme: expected Bearer, token, Basic or header:<Name>",
    ],
    [
      "a parent that is not there",
      "extends: bse",
      'bottles/dev.md:2:10 extends: unknown bottle "bse"; did you mean "base"?',
    ],
    [
      "a bottle that extends itself",
      "extends: [base, dev]",
      "bottles/dev.md:2:17 extends[1]: a bottle cannot extend itself",
    ],
    [
      "a variable that the bottle owns",
      "env:\n  https_proxy: x",
      "bottles/dev.md:3:3 env.https_proxy: the bottle sets this itself, for its proxy and CA",
    ],
    [
      "a loader's variable",
      "env: { LD_PRELOAD: /x.so }",
      "bottles/dev.md:2:8 env.LD_PRELOAD: this would load code into the bottle's own programs",
    ],
    [
      "a name that no variable has",
      "env: { A-B: x }",
      "bottles/dev.md:2:8 env.A-B: not a variable name: letters, digits and _ only",
    ],
    ["an empty variable", "env:\n  A:\n  B: x", 'bottles/dev.md:3:3 env.A: nothing is written: "" is an empty value'],
    [
      "a question mark without quotes",
      "env:\n  A: ?\n",
      'bottles/dev.md:3:6 a lone question mark must be quoted: write "?"',
    ],
    [
      "a size without a unit",
      "limits: { memory: 2 }",
      "bottles/dev.md:2:19 limits.memory: expected a size with its unit, such as 500m or 2g",
    ],
    ["an unclosed bracket", "env: {A: 1", "bottles/dev.md:3:1 wrong indentation, or a bracket before it is not closed"],
    ["a tab", "env:\n\tA: 1", "bottles/dev.md:3:1 tabs cannot be used to indent: use spaces"],
    ["a tag", "env: { A: !secret x }", "bottles/dev.md:2:11 YAML tags are not supported"],
    ["a merge key", "env: { A: x }\n<<: { supervise: true }", 'bottles/dev.md:3:1 ["<<"]: unknown key'],
    ["a list in place of keys", "- env", "bottles/dev.md:2:1 expected keys with values, found a list"],
    [
      "a host that is none",
      "egress: { routes: [{ host: a_b.example }] }",
      "bottles/dev.md:2:28 egress.routes[0].host: not a host name: it holds an underscore, which programs read differently",
    ],
    [
      "a wildcard that is too wide",
      'egress: { routes: [{ host: "*.com" }] }',
      "bottles/dev.md:2:28 egress.routes[0].host: a wildcard below a top-level domain is too wide",
    ],
    [
      "a path that can never match",
      "egress: { routes: [{ host: a.example, path_allowlist: [/a/../b] }] }",
      "bottles/dev.md:2:56 egress.routes[0].path_allowlist[0]: can never match: the path holds a dot segment",
    ],
    [
      "an empty list of methods",
      "egress: { routes: [{ host: a.example, matches: [{ methods: [] }] }] }",
      "bottles/dev.md:2:60 egress.routes[0].matches[0].methods: an empty list would match nothing: leave the key out to match everything",
    ],
    [
      "a port out of range",
      "egress: { routes: [{ host: a.example, port: 70000 }] }",
      "bottles/dev.md:2:45 egress.routes[0].port: must be at most 65535",
    ],
    [
      "a bind of what is not there",
      "namespace: { binds: [/nowhere/at/all] }",
      "bottles/dev.md:2:22 namespace.binds[0]: source: nothing is there",
    ],
    [
      "a name that would leave the folder",
      "extends: ../../etc/passwd",
      "bottles/dev.md:2:10 extends: expected a name: small letters, digits, - _ and single dots",
    ],
  ])("%s", async (_, yaml, line) => {
    home.bottle("base", "supervise: false")
    home.bottle("dev", yaml)
    const failure = await failureOf(home.manifests.loadBottles(["dev"]))
    expect(failure.message).toBe(line)
    expect(failure.exitCode).toBe(3)
    expect(failure.code).toBe("bad-manifest")
  })

  test("a file without frontmatter", async () => {
    home.write("user/.bot-bottle/bottles/dev.md", "env: {}\n")
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).message).toBe(
      "bottles/dev.md:1:1 no frontmatter: the first line must be ---",
    )
    home.write("user/.bot-bottle/bottles/dev.md", "---\nenv: {}\n")
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).message).toBe(
      "bottles/dev.md:1:1 the frontmatter is not closed: a second line --- is missing",
    )
  })

  test("everything wrong in a file is said at once, top to bottom", async () => {
    home.bottle(
      "dev",
      "limits: { cpu: 2, pids: 1 }\nextends: nowhere\nnamespace: { binds: [relative] }\nenv: { NO_PROXY: x }",
    )
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).message.split("\n")).toEqual([
      "bottles/dev.md:2:11 limits.cpu: unknown key; did you mean cpus?",
      "bottles/dev.md:2:25 limits.pids: must be at least 16",
      'bottles/dev.md:3:10 extends: unknown bottle "nowhere"',
      "bottles/dev.md:4:22 namespace.binds[0]: source: expected an absolute path without .. or ~/…",
      "bottles/dev.md:5:8 env.NO_PROXY: the bottle sets this itself, for its proxy and CA",
    ])
  })

  test("positions are right with CRLF line ends and a byte order mark", async () => {
    home.write("user/.bot-bottle/bottles/dev.md", "\ufeff---\r\nenv:\r\n  A: x\r\n  a b: y\r\n---\r\nnotes\r\n")
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).message).toBe(
      'bottles/dev.md:4:3 env["a b"]: not a variable name: letters, digits and _ only',
    )
  })

  test("no line repeats a value, which may be a secret in the wrong place", async () => {
    home.bottle("dev", "env: { A: [hunter2hunter2] }\nlimits: { memory: hunter2hunter2 }\nsupervise: hunter2hunter2")
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).message).not.toContain("hunter2")
  })

  test("what a file says cannot drive the terminal", async () => {
    home.bottle("dev", '"\\e]52;c;aGk=\\a\\u202E": 1')
    const { message } = await failureOf(home.manifests.loadBottles(["dev"]))
    expect(message).toMatch(/^bottles\/dev\.md:2:1 \[.*\]: unknown key$/)
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})
