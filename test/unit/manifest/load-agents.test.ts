import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { createManifests } from "../../../src/manifest/load.ts"
import { failureOf, type ManifestHome, makeManifestHome } from "./manifest-home.ts"

let home: ManifestHome
beforeEach(() => {
  home = makeManifestHome()
})
afterEach(() => home.remove())

describe("an agent", () => {
  test("is its file: name, suggestion, identity, and the body as its prompt", async () => {
    home.agent(
      "reviewer",
      "description: Reads changes\nbottle: dev\ngit-gate: { user: { name: Bot, email: bot@a.example } }",
      "\nYou review.\r\n\nBe kind.\n",
    )
    const agent = await home.manifests.loadAgent("reviewer")
    expect(agent).toEqual({
      name: "reviewer",
      origin: {
        path: join(home.home, "agents/reviewer.md"),
        display: "~/.bot-bottle/agents/reviewer.md",
        scope: "home",
        sha256: agent.origin.sha256,
      },
      bottles: ["dev"],
      skills: [],
      gitUser: { name: "Bot", email: "bot@a.example" },
      prompt: "You review.\n\nBe kind.",
      description: "Reads changes",
      unbuilt: [],
    })
    expect(agent.origin.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(Object.isFrozen(agent) && Object.isFrozen(agent.gitUser)).toBe(true)
  })

  test("may carry the keys of Claude Code's own subagents, unused", async () => {
    home.agent("a", "name: other\ndescription: x\nmodel: opus\ncolor: red\nmemory: user\nbottle: [b, c]")
    const agent = await home.manifests.loadAgent("a")
    expect([agent.name, agent.bottles]).toEqual(["a", ["b", "c"]])
  })

  test("names the skills that are copied in, as names only", async () => {
    home.agent("a", "skills: [review, pdf-tools]")
    const agent = await home.manifests.loadAgent("a")
    expect([agent.skills, agent.unbuilt]).toEqual([["review", "pdf-tools"], []])
    home.agent("b", "skills: [../x]")
    expect((await failureOf(home.manifests.loadAgent("b"))).message).toContain("not a skill's name")
  })

  test.each([
    ["botle: dev", "agents/a.md:2:1 botle: unknown key; did you mean bottle?"],
    ["bottle: ../../x", "agents/a.md:2:9 bottle: expected a name: small letters, digits, - _ and single dots"],
    ["egress: {}", "agents/a.md:2:1 egress: unknown key"],
    [
      'git-gate: { user: { email: "a@b\\nx" } }',
      "agents/a.md:2:28 git-gate.user.email: must be one line without control characters",
    ],
  ])("with %s is refused with its position", async (yaml, line) => {
    home.agent("a", yaml)
    const failure = await failureOf(home.manifests.loadAgent("a"))
    expect(failure.message.split("\n")[0]).toBe(line)
    expect(failure.exitCode).toBe(3)
  })

  test("that is not there is exit 5, with the nearest name of either folder", async () => {
    home.agent("reviewer", "")
    home.shipped("builder", "")
    const failure = await failureOf(home.manifests.loadAgent("reviwer"))
    expect(failure.message).toBe('unknown agent "reviwer"; did you mean "reviewer"?')
    expect([failure.exitCode, failure.code]).toEqual([5, "unknown-agent"])
    expect((await failureOf(home.manifests.loadAgent("bilder"))).message).toContain('"builder"')
    expect((await failureOf(home.manifests.loadAgent("zzzzzz"))).message).toBe('unknown agent "zzzzzz"')
    expect((await failureOf(home.manifests.loadAgent("../agents/reviewer"))).exitCode).toBe(5)
  })
})

describe("an agent that a repository ships", () => {
  test("can be loaded and says where it came from", async () => {
    home.shipped("builder", "bottle: dev", "Build.")
    const { origin, prompt } = await home.manifests.loadAgent("builder")
    expect([origin.scope, origin.display, prompt]).toEqual(["repository", "./.bot-bottle/agents/builder.md", "Build."])
  })

  test("never takes the place of the operator's, not even of a broken one", async () => {
    home.agent("a", "bottle: mine")
    home.shipped("a", "bottle: theirs")
    home.agent("b", "nope: 1")
    home.shipped("b", "bottle: theirs")
    expect((await home.manifests.loadAgent("a")).bottles).toEqual(["mine"])
    expect((await failureOf(home.manifests.loadAgent("b"))).message).toBe("agents/b.md:2:1 nope: unknown key")
    expect((await home.manifests.listAgents()).map(({ name, display }) => `${name} ${display}`)).toEqual([
      "a agents/a.md",
      "b agents/b.md",
    ])
  })

  test("is reported under its own path", async () => {
    home.shipped("x", "env: {}")
    expect((await failureOf(home.manifests.loadAgent("x"))).message).toBe(
      "./.bot-bottle/agents/x.md:2:1 env: unknown key",
    )
  })

  test("is not read through a link", async () => {
    home.write("secret.md", "---\n---\nsecret")
    mkdirSync(join(home.cwd, ".bot-bottle/agents"), { recursive: true })
    symlinkSync(join(home.root, "secret.md"), join(home.cwd, ".bot-bottle/agents/x.md"))
    expect((await failureOf(home.manifests.loadAgent("x"))).message).toBe(
      "./.bot-bottle/agents/x.md:1:1 a symbolic link is not followed here",
    )
  })

  test.each([["agents"], [""]])("is not read through a link at .bot-bottle/%s", async (level) => {
    home.write("elsewhere/agents/x.md", "---\n---\nsecret")
    const link = join(home.cwd, ".bot-bottle", level)
    mkdirSync(join(link, ".."), { recursive: true })
    symlinkSync(join(home.root, "elsewhere", level), link.replace(/\/$/, ""))
    expect((await failureOf(home.manifests.loadAgent("x"))).exitCode).toBe(5)
    const [entry] = await home.manifests.listAgents()
    expect(entry?.kind === "broken" && entry.diagnostics[0]?.message).toBe(
      "a link is not followed here, so its agents are not used",
    )
  })

  test("is not waited for when it is a FIFO, nor read when it is a device", async () => {
    mkdirSync(join(home.cwd, ".bot-bottle/agents"), { recursive: true })
    const fifo = join(home.cwd, ".bot-bottle/agents/f.md")
    expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0)
    expect((await failureOf(home.manifests.loadAgent("f"))).message).toBe(
      "./.bot-bottle/agents/f.md:1:1 not a regular file",
    )
    mkdirSync(join(home.home, "agents"), { recursive: true })
    symlinkSync("/dev/zero", join(home.home, "agents/z.md"))
    expect((await failureOf(home.manifests.loadAgent("z"))).message).toBe("agents/z.md:1:1 not a regular file")
  })
})

describe("the list of agents", () => {
  test("holds both folders' agents, sorted, a broken one beside the others", async () => {
    home.agent("b", "")
    home.agent("broken", "x: 1")
    home.shipped("a", "")
    home.shipped("c", "nope")
    const entries = await home.manifests.listAgents()
    expect(entries.map(({ name, kind }) => `${name} ${kind}`)).toEqual(["a ok", "b ok", "broken broken", "c broken"])
  })

  test("has nothing twice when the working directory is the home directory", async () => {
    home.agent("a", "")
    home.bottle("dev", "")
    const manifests = createManifests({ home: home.home, userHome: home.userHome, cwd: home.userHome })
    expect((await manifests.listAgents()).map(({ display }) => display)).toEqual(["agents/a.md"])
    expect((await manifests.loadBottles(["dev"])).warnings).toEqual([])
  })

  test("says so when a repository ships too many", async () => {
    for (let i = 0; i < 260; i += 1) home.shipped(`a${i}`, "")
    const entries = await home.manifests.listAgents()
    expect(entries).toHaveLength(1)
    expect(entries[0]?.kind).toBe("broken")
  })
})
