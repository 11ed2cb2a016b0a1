import { beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fill, findUnknown } from "../../../src/providers/contrib/placeholders.ts"
import { providerFor } from "../../../src/providers/index.ts"
import { tempDir } from "../../support/temp.ts"
import { failure, pretendHost, request } from "./pretend-host.ts"

const contrib = tempDir("contrib")
beforeEach(() => {
  rmSync(join(contrib, "tiny"), { recursive: true, force: true })
  mkdirSync(join(contrib, "tiny"))
})

const packaged = "/usr/lib/node_modules/tiny/dist/cli.js"
const host = pretendHost(
  { tiny: "/usr/bin/tiny", rg: "/usr/bin/rg", packed: packaged, node: "/usr/bin/node", loose: "/home/me/bin/loose" },
  { [packaged]: "", "/usr/lib/node_modules/tiny/package.json": "{}", "/home/me/package.json": "{}" },
)
const bin = "/opt/bot-bottle/contrib/tiny/bin"
const promptFile = "/home/node/.bot-bottle/system-prompt.md"

async function prepare(text: string, changes: Parameters<typeof request>[0] = {}) {
  writeFileSync(join(contrib, "tiny", "provider.yaml"), text)
  const provider = await providerFor("tiny", contrib)
  return provider.prepare(request(changes), host)
}

describe("a description", () => {
  test("of a program alone is enough", async () => {
    expect(await prepare("command: {program: tiny}")).toEqual({
      argv: [`${bin}/tiny`],
      resumeArgv: [`${bin}/tiny`],
      env: {},
      files: [{ path: promptFile, mode: 0o600, content: "" }],
      mounts: [{ source: "/usr/bin/tiny", target: `${bin}/tiny`, readonly: true }],
      path: [bin],
      routes: [],
      transcripts: [],
      summary: "tiny from /usr/bin/tiny (contrib/tiny)",
    })
  })

  test("chooses the arguments by how the session runs", async () => {
    const text = `
command: {program: tiny}
args: [a]
resume: [r]
headless: [h, "{prompt}"]
headless_resume: [hr, "-p={prompt}"]`
    const terminal = await prepare(text)
    expect([terminal.argv.slice(1), terminal.resumeArgv.slice(1)]).toEqual([["a"], ["r"]])
    const headless = await prepare(text, { headless: true, prompt: "go" })
    expect(headless.argv.slice(1)).toEqual(["h", "go"])
    expect(headless.resumeArgv.slice(1)).toEqual(["hr", "-p=go"])
  })

  test("tells the CLI of its operator by files of their own, which come only with supervise", async () => {
    const text = `
command: {program: tiny}
files: [{path: .tiny/conf, content: alone}, {path: .tiny/other, content: other}]
supervise:
  files: [{path: .tiny/conf, content: "ask {supervise_url}"}]`
    const contents = ({ files }: Awaited<ReturnType<typeof prepare>>) =>
      files.slice(0, -1).map(({ content }) => content)
    expect(contents(await prepare(text))).toEqual(["alone", "other"])
    const asking = await prepare(text, { supervise: true })
    expect(contents(asking)).toEqual(["other", "ask http://127.0.0.1:9100/mcp"])
    expect(asking.unregistered).toBeUndefined()
  })

  test("says how to tell the CLI of its operator, where no file does", async () => {
    const text = "command: {program: tiny}\nsupervise: {register: [tiny, mcp, add, '{supervise_url}']}"
    const command = ["tiny", "mcp", "add", "http://127.0.0.1:9100/mcp"]
    expect((await prepare(text, { supervise: true })).unregistered).toEqual(command)
    expect((await prepare(text)).unregistered).toBeUndefined()
    expect((await prepare("command: {program: tiny}", { supervise: true })).unregistered).toContain(
      "supervise.register",
    )
  })

  test("fills placeholders once: a prompt that holds one stays as it was typed", async () => {
    const text = `
command: {program: tiny}
headless: ["--in={workspace}", "{prompt}", "{system_prompt_file}"]
env: {CA: "{ca}", ON: yes, N: 1.50}
files: [{path: .tiny/c.json, content: '{"home": "{home}", "x": {other}, "p": "{prompt}"}', executable: true}]`
    const changes = { headless: true, prompt: "{home} $& {prompt}", systemPrompt: "Be {home}." }
    const session = await prepare(text, changes)
    expect(session.argv.slice(1)).toEqual(["--in=/workspace", "{home} $& {prompt}", promptFile])
    expect(session.env).toEqual({ CA: "/run/bottle/ca.crt", ON: "yes", N: "1.50" })
    const written = '{"home": "/home/node", "x": {other}, "p": "{prompt}"}'
    expect(session.files).toEqual([
      { path: "/home/node/.tiny/c.json", mode: 0o700, content: written },
      { path: promptFile, mode: 0o600, content: "Be {home}." },
    ])
  })

  test("shows a package with its runtime, and further programs", async () => {
    const { argv, mounts } = await prepare("command: {program: packed, show: package, runtime: node}\nprograms: [rg]")
    expect(argv).toEqual([`${bin}/node`, "/opt/bot-bottle/contrib/tiny/package/dist/cli.js"])
    expect(mounts).toEqual([
      { source: "/usr/bin/node", target: `${bin}/node`, readonly: true },
      { source: "/usr/lib/node_modules/tiny", target: "/opt/bot-bottle/contrib/tiny/package", readonly: true },
      { source: "/usr/bin/rg", target: `${bin}/rg`, readonly: true },
    ])
  })

  test("never shows a home that happens to hold a package.json", async () => {
    expect(await failure(prepare("command: {program: loose, show: package}"))).toBe("tiny-not-found 4")
  })

  test("puts in the bottle's own slot, and nothing without one", async () => {
    const text = `
command: {program: tiny}
routes:
  - host: API.tiny.example.
    auth: {scheme: Bearer}
    matches: [{methods: [post], paths: [{type: exact, value: /v1}]}]`
    const matches = [{ methods: ["POST"], paths: [{ type: "exact" as const, value: "/v1" }] }]
    const plain = { host: "api.tiny.example", scheme: "https" as const, port: 443, matches }
    const auth = { scheme: "Bearer", token_ref: "KEY" }
    expect((await prepare(text, { authSlot: "KEY" })).routes).toEqual([{ ...plain, auth }])
    expect((await prepare(text)).routes).toEqual([plain])
  })

  test.each([
    ["a program that is not on PATH", "command: {program: absent}", {}, "tiny-not-found 4"],
    [
      "a headless session it does not describe",
      "command: {program: tiny}",
      { headless: true, prompt: "x" },
      "no-headless 2",
    ],
    ["a command", "command: {program: tiny}", { argv: ["sh"] }, "argv-not-taken 2"],
    ["settings", "command: {program: tiny}", { settings: { model: "x" } }, "bad-provider-settings 3"],
  ])("refuses %s", async (_, text, changes, expected) => {
    expect(await failure(prepare(text, changes))).toBe(expected)
  })
})

describe("a template", () => {
  test("of this build is never taken by a file", async () => {
    mkdirSync(join(contrib, "claude"), { recursive: true })
    writeFileSync(join(contrib, "claude", "provider.yaml"), "command: {program: tiny}")
    const { claudeProvider } = await import("../../../src/providers/claude/provider.ts")
    expect(await providerFor("claude", contrib)).toBe(claudeProvider)
  })

  test.each(["tinny", "..", "../tiny", "tiny/../tiny", ".", ""])("%p is unknown", async (template) => {
    expect(await failure(providerFor(template, contrib))).toBe("unknown-provider 3")
  })
})

test("only the known placeholders are one", () => {
  expect(findUnknown("{home}/{ca}", ["home", "ca"])).toBeUndefined()
  expect(findUnknown("{home}/{prompt}", ["home"])).toBe("{prompt}")
  expect(findUnknown("{toString}{Home}{}{a-b}", [])).toBeUndefined()
  expect(fill("{home}{toString}{constructor}{prompt}", { home: "$1" })).toBe("$1{toString}{constructor}{prompt}")
})
