import { describe, expect, test } from "bun:test"
import { findPi } from "../../../src/providers/pi/install.ts"
import { piProvider } from "../../../src/providers/pi/provider.ts"
import { failure, pretendHost, request } from "./pretend-host.ts"

type Changes = Parameters<typeof request>[0]

const root = "/usr/lib/node_modules/@earendil-works/pi-coding-agent"
const program = `${root}/dist/bundle/cli.js`
const files = {
  [program]: "#!/usr/bin/env node\n",
  [`${root}/package.json`]: '{"version": "1.5.2"}',
  "/usr/bin/node": "v20.20.2",
  "/opt/node/bin/node": "v22.19.0",
}
const programs = { pi: program, node: "/usr/bin/node", "node#2": "/opt/node/bin/node" }
const host = pretendHost(programs, files)
const prepare = (changes: Changes = {}) => piProvider.prepare(request(changes), host)
const start = ["/opt/bot-bottle/pi/node", "/opt/bot-bottle/pi/package/dist/bundle/cli.js"]

describe("where it is found", () => {
  test("its package is shown with the first Node that can run it", () => {
    expect(findPi(host)).toEqual({
      command: start,
      mounts: [
        { source: root, target: "/opt/bot-bottle/pi/package", readonly: true },
        { source: "/opt/node/bin/node", target: "/opt/bot-bottle/pi/node", readonly: true },
      ],
      version: "1.5.2",
      node: "22.19.0",
      source: program,
    })
  })

  test.each(["22.19.0", "22.20.1", "23.0.0", "24.9.0", "100.0.0"])("Node %s can run it", (version) => {
    const look = pretendHost({ pi: program, node: "/n" }, { ...files, "/n": `v${version}` })
    expect(findPi(look).node).toBe(version)
  })

  test.each(["v22.18.9", "v20.20.2", "v9.9.9", "not a version"])("Node that says %p cannot", async (says) => {
    const look = pretendHost({ pi: program, node: "/n" }, { ...files, "/n": says })
    expect(await failure((async () => findPi(look))())).toBe("node-not-found 4")
  })

  const stray = "/home/me/bin/pi"
  const home = { [stray]: "#!/usr/bin/env node\n", "/home/me/package.json": "{}", "/home/me/dist/bundle/cli.js": "x" }
  test.each([
    ["no pi on PATH", { node: "/usr/bin/node" }, files, "pi-not-found 4"],
    ["no node on PATH", { pi: program }, files, "node-not-found 4"],
    ["another program of that name", { pi: "/usr/bin/pi" }, { "/usr/bin/pi": "\x7fELF" }, "pi-not-found 4"],
    ["a script whose nearest package.json is a home's", { ...programs, pi: stray }, home, "pi-not-found 4"],
  ])("%s is something missing on this machine", async (_, found, there, expected) => {
    const look = async () => findPi(pretendHost(found as never, there as never))
    expect(await failure(look())).toBe(expected)
  })
})

describe("the command line", () => {
  test("headless it prints, and continues to go on", async () => {
    const { argv, resumeArgv } = await prepare({ headless: true, prompt: "--help" })
    expect(argv).toEqual([...start, "--print", "--", "--help"])
    expect(resumeArgv).toEqual([...start, "--continue", "--print", "--", "--help"])
  })

  test("the bottle's label names a session on a terminal", async () => {
    expect((await prepare({ label: "x y" })).argv).toEqual([...start, "--name", "x y"])
    expect((await prepare({ label: "x", headless: true, prompt: "go" })).argv).not.toContain("--name")
  })

  test("a prompt that would name a file stays a prompt", async () => {
    expect((await prepare({ headless: true, prompt: "@/etc/passwd" })).argv.at(-1)).toBe(" @/etc/passwd")
  })

  test("the system prompt is a file, further flags come before the prompt", async () => {
    const session = await prepare({ systemPrompt: "Be brief.", settings: { extra_args: ["--thinking", "high"] } })
    const file = "/home/node/.pi/agent/bottle-system-prompt.md"
    expect(session.argv).toEqual([...start, "--append-system-prompt", file, "--thinking", "high"])
    expect(session.files.find(({ path }) => path === file)?.content).toBe("Be brief.")
  })
})

describe("what the CLI finds", () => {
  test("trust of the workspace, the model, and nothing that asks or reports", async () => {
    const session = await prepare({ settings: { model: "m" } })
    const written = session.files.find(({ path }) => path === "/home/node/.pi/agent/settings.json")
    expect(JSON.parse(written?.content ?? "")).toEqual({
      defaultProvider: "anthropic",
      defaultModel: "m",
      defaultProjectTrust: "always",
      quietStartup: true,
      enableInstallTelemetry: false,
      warnings: { anthropicExtraUsage: false },
    })
    expect(session.env).toMatchObject({ PI_OFFLINE: "1", NODE_EXTRA_CA_CERTS: "/run/bottle/ca.crt" })
  })

  test("the supervise tools only where they exist, before the model", async () => {
    const registered = async (supervise: boolean) =>
      (await prepare({ supervise })).files.find(({ path }) => path === "/home/node/.pi/agent/mcp.json")?.content
    expect(await registered(false)).toBeUndefined()
    expect(JSON.parse((await registered(true)) ?? "")).toEqual({
      mcpServers: { supervise: { url: "http://127.0.0.1:9100/mcp", exposure: "direct", timeout: 86_400 } },
    })
  })
})

test.each([
  [{}, "ANTHROPIC_API_KEY", "api.anthropic.com", "/v1/messages", "header:x-api-key"],
  [{ auth: "oauth" }, "ANTHROPIC_OAUTH_TOKEN", "api.anthropic.com", "/v1/messages", "Bearer"],
  [{ provider: "openai" }, "OPENAI_API_KEY", "api.openai.com", "/v1/responses", "Bearer"],
])(
  "settings %p: a placeholder in %s, and model calls to %s%s with %s",
  async (settings, name, apiHost, path, scheme) => {
    const session = await prepare({ settings, authSlot: "TOKEN" })
    expect(session.env[name]).toContain("placeholder")
    expect(session.routes).toEqual([
      {
        ...{ host: apiHost, scheme: "https", port: 443 },
        matches: [{ methods: ["POST"], paths: [{ type: "exact", value: path }] }],
        auth: { scheme, token_ref: "TOKEN" },
      },
    ])
    expect((await prepare({ settings })).routes[0]).not.toHaveProperty("auth")
  },
)

test.each([
  ["argv", { argv: ["bash"] }, "argv-not-taken 2"],
  ["a headless session without a prompt", { headless: true }, "no-prompt 2"],
  ["an unknown setting", { settings: { modell: "x" } }, "bad-provider-settings 3"],
  ["an unknown provider", { settings: { provider: "mistral" } }, "bad-provider-settings 3"],
  ["a subscription of OpenAI's", { settings: { provider: "openai", auth: "oauth" } }, "bad-provider-settings 3"],
])("%s is refused", async (_, changes, expected) => {
  expect(await failure(prepare(changes))).toBe(expected)
})
