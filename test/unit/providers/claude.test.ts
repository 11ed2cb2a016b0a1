import { describe, expect, test } from "bun:test"
import { colors } from "../../../src/commands/_colors.ts"
import { sgrColors } from "../../../src/lib/colors.ts"
import { claudeProvider } from "../../../src/providers/claude/provider.ts"
import { elf, failure, pretendHost, request } from "./pretend-host.ts"

const program = "/usr/bin/claude"
const host = pretendHost({ claude: program }, { [program]: elf })
const prepare = (changes: Parameters<typeof request>[0] = {}) => claudeProvider.prepare(request(changes), host)
const inside = "/opt/bot-bottle/claude/claude"

async function fileAt(path: string, changes: Parameters<typeof request>[0] = {}) {
  const { files } = await prepare(changes)
  return files.find((file) => file.path === path)?.content
}

describe("the command line", () => {
  test("an interactive session bypasses the CLI's own permissions", async () => {
    const { argv, resumeArgv } = await prepare()
    expect(argv).toEqual([inside, "--dangerously-skip-permissions"])
    expect(resumeArgv).toEqual([inside, "--continue", "--dangerously-skip-permissions"])
  })

  test("the bottle's label names a session on a terminal", async () => {
    expect((await prepare({ label: "-x y" })).argv.at(-1)).toBe("--name=-x y")
    expect((await prepare({ label: "x", headless: true, prompt: "go" })).argv.join(" ")).not.toContain("--name")
  })

  test("Remote Control is a flag, on a terminal only", async () => {
    const settings = { remote_control: true }
    expect((await prepare({ label: "x y", settings })).argv).toContain("--remote-control=x y")
    expect((await prepare({ headless: true, prompt: "go", settings })).argv.join(" ")).not.toContain("remote")
    expect(await failure(prepare({ settings: { remote_control: "yes" } }))).toBe("bad-provider-settings 3")
  })

  test("a coloured bottle's label is its status line, read from a file and never by a shell", async () => {
    const { files } = await prepare({ label: "$(id)\u001b]2;x\u0007", color: "cyanBright" })
    const content = (name: string) => String(files.find(({ path }) => path.endsWith(name))?.content)
    expect(JSON.parse(content("settings.json")).statusLine).toEqual({
      type: "command",
      command: "cat /home/node/.claude/bottle-status",
    })
    const status = content("bottle-status")
    expect(status).toStartWith("\u001b[96m$(id)")
    expect(status.slice(5).split("\u001b")).toHaveLength(2)
    for (const without of [{ label: "x" }, { label: "x", color: "red", headless: true, prompt: "go" }]) {
      const plain = await prepare(without)
      expect(plain.files.map(({ path }) => path).join()).not.toContain("bottle-status")
    }
  })

  test("every colour of a bottle has its number", () => {
    expect(colors.map((name) => sgrColors[name])).toEqual([...range(30), 90, ...range(91).slice(0, 7)])
  })

  test("a headless prompt that looks like a flag stays a prompt", async () => {
    const { argv } = await prepare({ headless: true, prompt: "--help" })
    expect(argv.slice(-3)).toEqual(["-p", "--", "--help"])
  })

  test("model, extra flags and the system prompt come before the prompt", async () => {
    const settings = { model: "claude-test", extra_args: ["--allowedTools", "Bash"] }
    const { argv } = await prepare({ settings, systemPrompt: "Be brief.", headless: true, prompt: "go" })
    expect(argv).toEqual([
      inside,
      "--dangerously-skip-permissions",
      "--model",
      "claude-test",
      "--append-system-prompt-file",
      "/home/node/.claude/bottle-system-prompt.md",
      "--allowedTools",
      "Bash",
      "-p",
      "--",
      "go",
    ])
  })

  test("the system prompt is handed over as a file", async () => {
    expect(await fileAt("/home/node/.claude/bottle-system-prompt.md", { systemPrompt: "Be brief." })).toBe("Be brief.")
    expect(await fileAt("/home/node/.claude/bottle-system-prompt.md", { systemPrompt: " \n" })).toBeUndefined()
  })
})

describe("what the CLI finds", () => {
  test("no question is asked: onboarding, trust of the workspace and bypass mode are settled", async () => {
    const state = JSON.parse((await fileAt("/home/node/.claude.json", { workspace: "/work space" })) ?? "")
    expect(state.hasCompletedOnboarding).toBe(true)
    expect(state.projects["/work space"].hasTrustDialogAccepted).toBe(true)
    expect(state.mcpServers).toBeUndefined()
    const settings = JSON.parse((await fileAt("/home/node/.claude/settings.json")) ?? "")
    expect(settings).toEqual({ skipDangerousModePermissionPrompt: true })
  })

  test("the supervise tools are registered only where they exist", async () => {
    const state = JSON.parse((await fileAt("/home/node/.claude.json", { supervise: true })) ?? "")
    expect(state.mcpServers).toEqual({
      supervise: { type: "http", url: "http://127.0.0.1:9100/mcp", alwaysLoad: true, timeout: 86_400_000 },
    })
  })

  test("an OAuth session holds a placeholder and no API key", async () => {
    const { env } = await prepare({ authSlot: "CLAUDE_TOKEN" })
    expect(env.CLAUDE_CODE_OAUTH_TOKEN).toContain("placeholder")
    expect(env.ANTHROPIC_API_KEY).toBeUndefined()
    expect(env.NODE_EXTRA_CA_CERTS).toBe("/run/bottle/ca.crt")
  })

  test("an API key's placeholder is approved beforehand", async () => {
    const { env } = await prepare({ settings: { auth: "api-key" } })
    const state = JSON.parse((await fileAt("/home/node/.claude.json", { settings: { auth: "api-key" } })) ?? "")
    expect(state.customApiKeyResponses.approved).toEqual([env.ANTHROPIC_API_KEY?.slice(-20)])
    expect(env.CLAUDE_CODE_OAUTH_TOKEN).toBeUndefined()
  })
})

describe("routes", () => {
  test("only model calls and the three start-up questions are let out", async () => {
    const { routes } = await prepare()
    expect(routes.map((route) => [route.host, route.scheme, route.port])).toEqual([["api.anthropic.com", "https", 443]])
    const let_out = (routes[0]?.matches ?? []).flatMap(({ methods = [], paths = [] }) =>
      methods.flatMap((method) => paths.map(({ type, value }) => `${method} ${type} ${value}`)),
    )
    expect(let_out).toEqual([
      "POST exact /v1/messages",
      "POST exact /v1/messages/count_tokens",
      "GET exact /api/claude_code/settings",
      "GET exact /api/claude_code/policy_limits",
      "GET exact /api/hello",
      "HEAD exact /api/hello",
    ])
  })

  test.each([
    ["oauth", "Bearer"],
    ["api-key", "header:x-api-key"],
  ])("a declared slot is put in for %s as %s", async (auth, scheme) => {
    const { routes } = await prepare({ settings: { auth }, authSlot: "TOKEN" })
    expect(routes[0]?.auth).toEqual({ scheme, token_ref: "TOKEN" })
  })

  test("without a slot nothing is put in", async () => {
    expect((await prepare()).routes[0]).not.toHaveProperty("auth")
  })
})

test.each([
  ["argv", { argv: ["bash"] }, "argv-not-taken 2"],
  ["a headless session without a prompt", { headless: true }, "no-prompt 2"],
  ["an unknown setting", { settings: { modell: "x" } }, "bad-provider-settings 3"],
  ["a model that is a flag", { settings: { model: "--bare" } }, "bad-provider-settings 3"],
  ["extra_args that is no list", { settings: { extra_args: "-x" } }, "bad-provider-settings 3"],
  ["extra_args that ends the flags", { settings: { extra_args: ["--"] } }, "bad-provider-settings 3"],
  ["an unknown auth", { settings: { auth: "cookie" } }, "bad-provider-settings 3"],
])("%s is refused", async (_, changes, expected) => {
  expect(await failure(prepare(changes))).toBe(expected)
})

function range(from: number): number[] {
  return Array.from({ length: 8 }, (_, at) => from + at)
}
