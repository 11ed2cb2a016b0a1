import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { failureOf, type ManifestHome, makeManifestHome } from "./manifest-home.ts"

let home: ManifestHome
beforeEach(() => {
  home = makeManifestHome()
})
afterEach(() => home.remove())

const load = (...names: string[]) => home.manifests.loadBottles(names)

describe("a bottle", () => {
  test("without any key has the defaults", async () => {
    home.bottle("dev", "")
    const bottle = await load("dev")
    expect(bottle).toEqual({
      names: ["dev"],
      origins: bottle.origins,
      env: {},
      provider: { template: "command", settings: {} },
      egress: { routes: [], log: 0 },
      pipelock: { allowlist: [], dlp: {} },
      gitGate: { user: {}, repos: {} },
      supervise: true,
      docker: {},
      namespace: { binds: [] },
      limits: {},
      slots: [],
      unbuilt: [],
      warnings: [],
    })
  })

  test("may give proposals an age at which they expire", async () => {
    home.bottle("dev", "supervise: {expire: 8h}")
    home.bottle("off", "extends: dev\nsupervise: false")
    expect(await load("dev")).toMatchObject({ supervise: true, expire: 28_800 })
    const off = await load("off")
    expect([off.supervise, off.expire]).toEqual([false, undefined])
    home.bottle("bad", "supervise: {expires: 8h}")
    expect((await failureOf(load("bad"))).message).toContain("unknown key; did you mean expire?")
  })

  test("says where it came from and the hash of its bytes", async () => {
    home.bottle("dev", "")
    const path = join(home.home, "bottles/dev.md")
    expect((await load("dev")).origins).toEqual([
      {
        path,
        display: "~/.bot-bottle/bottles/dev.md",
        scope: "home",
        sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
      },
    ])
  })

  test("is frozen all the way down", async () => {
    home.bottle(
      "dev",
      "egress: { routes: [{ host: a.example, path_allowlist: [/a] }] }\nagent_provider: { settings: { a: { b: [1] } } }",
    )
    const bottle = await load("dev")
    const loose: string[] = []
    const walk = (value: unknown, path: string) => {
      if (typeof value !== "object" || value === null) return
      if (!Object.isFrozen(value)) loose.push(path)
      for (const [key, part] of Object.entries(value)) walk(part, `${path}.${key}`)
    }
    walk(bottle, "bottle")
    expect(loose).toEqual([])
  })

  test("takes limits as bytes and seconds", async () => {
    home.bottle("dev", "limits: { memory: 2g, cpus: 1.5, pids: 512, wall_clock: 30m }")
    expect((await load("dev")).limits).toEqual({ memory: 2 ** 31, cpus: 1.5, pids: 512, wall_clock: 1800 })
  })

  test("names the slots of its routes and of its provider, never a value", async () => {
    home.bottle(
      "dev",
      `agent_provider: { template: claude, auth_token: Z_TOKEN }
egress:
  routes:
    - { host: a.example, auth: { scheme: Bearer, token_ref: B_TOKEN } }
    - { host: b.example, auth: { scheme: "header:X-Key", token_ref: A_TOKEN } }
    - { host: c.example, auth: { scheme: Basic, token_ref: B_TOKEN } }`,
    )
    expect((await load("dev")).slots).toEqual(["A_TOKEN", "B_TOKEN", "Z_TOKEN"])
  })

  test("may be a symbolic link in the operator's own folder", async () => {
    home.write("dotfiles/dev.md", "---\nsupervise: false\n---\n")
    mkdirSync(join(home.home, "bottles"))
    symlinkSync(join(home.root, "dotfiles/dev.md"), join(home.home, "bottles/dev.md"))
    expect((await load("dev")).supervise).toBe(false)
  })

  test("that everyone may write is warned about", async () => {
    home.bottle("dev", "")
    chmodSync(join(home.home, "bottles/dev.md"), 0o666)
    expect((await load("dev")).warnings).toEqual([
      "bottles/dev.md can be written by everyone on this machine: chmod o-w ~/.bot-bottle/bottles/dev.md",
    ])
  })
})

describe("bottles that a repository ships", () => {
  test("are warned about and not used", async () => {
    home.bottle("dev", "")
    home.write("project/.bot-bottle/bottles/evil.md", "---\n---\n")
    home.write("project/.bot-bottle/bottles/dev.md", "---\nsupervise: false\n---\n")
    const bottle = await load("dev")
    expect(bottle.supervise).toBe(true)
    expect(bottle.warnings).toEqual([
      "./.bot-bottle/bottles is not used: bottles are read from ~/.bot-bottle/bottles only",
    ])
    expect((await failureOf(load("evil"))).exitCode).toBe(5)
    expect((await home.manifests.listBottles()).map(({ name }) => name)).toEqual(["dev"])
  })
})

describe("a bottle that is not there", () => {
  test("is exit 5, with the nearest name", async () => {
    home.bottle("develop", "")
    const failure = await failureOf(load("devlop"))
    expect(failure.message).toBe('unknown bottle "devlop"; did you mean "develop"?')
    expect([failure.exitCode, failure.code]).toEqual([5, "unknown-bottle"])
  })

  test.each([
    ["../agents/x"],
    ["/etc/passwd"],
    ["a/b"],
    [".."],
    ["."],
    [""],
    ["a\0b"],
    ["DEV"],
    ["a".repeat(65)],
    ["a..b"],
  ])("cannot be named by %p", async (name) => {
    home.bottle("dev", "")
    home.agent("x", "")
    expect((await failureOf(load(name))).exitCode).toBe(5)
  })
})

describe("extends", () => {
  test("folds parents left to right, then the child", async () => {
    home.bottle("one", "env: { A: one, B: one, C: one }\nlimits: { pids: 100, memory: 1g }\nsupervise: false")
    home.bottle("two", "env: { B: two, C: two }\nlimits: { pids: 200 }")
    home.bottle("child", "extends: [one, two]\nenv: { C: child }\nlimits: { cpus: 2 }")
    const bottle = await load("child")
    expect(bottle.env).toEqual({
      A: { kind: "literal", value: "one" },
      B: { kind: "literal", value: "two" },
      C: { kind: "literal", value: "child" },
    })
    expect(bottle.limits).toEqual({ pids: 200, memory: 2 ** 30, cpus: 2 })
    expect(bottle.supervise).toBe(false)
    expect(bottle.names).toEqual(["child"])
    expect(bottle.origins.map(({ display }) => display.split("/").pop())).toEqual(["one.md", "two.md", "child.md"])
  })

  test("reads a diamond's top once, so that it does not undo what its first child said", async () => {
    home.bottle("top", "env: { A: top }\negress: { routes: [{ host: wide.example }] }")
    home.bottle("left", "extends: top\nenv: { A: left }\negress: { routes: [{ host: narrow.example }] }")
    home.bottle("right", "extends: top\nenv: { B: right }")
    home.bottle("child", "extends: [left, right]")
    const bottle = await load("child")
    expect(bottle.env.A).toEqual({ kind: "literal", value: "left" })
    expect(bottle.egress.routes.map(({ host }) => host)).toEqual(["narrow.example"])
    expect(bottle.origins).toHaveLength(4)
  })

  test("reports a circle with every name in it", async () => {
    home.bottle("a", "extends: b")
    home.bottle("b", "extends:\n  - c")
    home.bottle("c", "extends: a")
    const failure = await failureOf(load("a"))
    expect(failure.message).toBe("bottles/c.md:2:10 extends: goes round in a circle: a > b > c > a")
    expect(failure.exitCode).toBe(3)
  })

  test("reports what is wrong in a parent at the parent's own lines, with the child's", async () => {
    home.bottle("parent", "supervize: true")
    home.bottle("child", "extends: parent\nenvv: {}")
    expect((await failureOf(load("child"))).message.split("\n")).toEqual([
      "bottles/parent.md:2:1 supervize: unknown key; did you mean supervise?",
      "bottles/child.md:3:1 envv: unknown key; did you mean env?",
    ])
  })

  test("is bounded in depth only by the files", async () => {
    for (let i = 0; i < 60; i += 1) home.bottle(`b${i}`, i === 59 ? "env: { A: deep }" : `extends: b${i + 1}`)
    expect((await load("b0")).env.A).toEqual({ kind: "literal", value: "deep" })
  })
})

describe("the list of bottles", () => {
  test("shows a broken file with what is wrong and hides no other", async () => {
    home.bottle("good", "")
    home.bottle("broken", "nope: 1")
    home.write("user/.bot-bottle/bottles/README.md", "# not a bottle")
    home.write("user/.bot-bottle/bottles/.hidden.md", "x")
    home.write("user/.bot-bottle/bottles/notes.txt", "x")
    mkdirSync(join(home.home, "bottles/folder.md"))
    const entries = await home.manifests.listBottles()
    expect(entries.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "README broken",
      "broken broken",
      "folder broken",
      "good ok",
    ])
    const folder = entries[2]
    expect(folder?.kind === "broken" && folder.diagnostics).toEqual([
      { file: "bottles/folder.md", line: 1, col: 1, path: "", message: "not a regular file" },
    ])
  })

  test("is empty without a folder", async () => {
    expect(await home.manifests.listBottles()).toEqual([])
  })
})

describe("a key whose feature is not in this build", () => {
  test("is recorded with its position when it asks for something", async () => {
    home.bottle(
      "dev",
      `git-gate:
  user: { name: Me }
  repos: { x: { url: "ssh://git@a.example/x" } }
pipelock: { allowlist: [a.example], dlp: { on: true } }
limits: { disk: 1g, pids: 100 }
egress:
  routes:
    - { host: a.example, dlp: { off: true } }`,
    )
    expect((await load("dev")).unbuilt).toEqual([
      { key: "egress.routes[0].dlp", position: "bottles/dev.md:9:26" },
      { key: "pipelock.dlp", position: "bottles/dev.md:5:37" },
      { key: "git-gate.repos", position: "bottles/dev.md:4:3" },
    ])
  })

  test("is inert when it asks for nothing", async () => {
    home.bottle("dev", "supervise: false\npipelock: { dlp: {} }\ngit-gate: { repos: {} }")
    expect((await load("dev")).unbuilt).toEqual([])
  })

  test("is gone when a child takes it back", async () => {
    home.bottle(
      "base",
      "pipelock: { dlp: { on: true } }\negress: { routes: [{ host: a.example, dlp: { off: true } }] }",
    )
    home.bottle("dev", "extends: base\npipelock: { dlp: {} }\negress: { routes: [] }")
    expect((await load("dev")).unbuilt).toEqual([])
    expect((await load("base")).unbuilt).toHaveLength(2)
  })
})
