import { describe, expect, test } from "bun:test"
import { findCodex } from "../../../src/providers/codex/install.ts"
import { codexProvider } from "../../../src/providers/codex/provider.ts"
import { writeToml } from "../../../src/providers/codex/toml.ts"
import { elf, failure, pretendHost, request } from "./pretend-host.ts"

type Changes = Parameters<typeof request>[0]

const modules = "/usr/lib/node_modules"
const launcher = `${modules}/@openai/codex/bin/codex.js`
const script = "#!/usr/bin/env node\n"
const x64 = `${modules}/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl`
const npm = {
  [launcher]: script,
  [`${x64}/bin/codex`]: elf,
  [`${x64}/codex-path/rg`]: elf,
  [`${modules}/@openai/codex-linux-x64/package.json`]: '{"version": "0.169.0-linux-x64"}',
}
const inside = "/opt/bot-bottle/codex"

const program = "/usr/local/bin/codex"
const host = pretendHost({ codex: program }, { [program]: elf })
const prepare = (changes: Changes = {}) => codexProvider.prepare(request(changes), host)
const fileAt = async (path: string, changes: Changes = {}) =>
  (await prepare(changes)).files.find((file) => file.path === path)?.content ?? ""
/** The configuration as the CLI reads it. */
const config = async (changes: Changes = {}): Promise<unknown> =>
  Bun.TOML.parse(await fileAt("/home/node/.codex/config.toml", changes))

describe("a forwarded subscription", () => {
  const login = { way: "subscription", account: "account-1234" } as const
  test("is inside as tokens of the right shape that end in 2100 and open nothing", async () => {
    const auth = JSON.parse(await fileAt("/home/node/.codex/auth.json", { login, authSlot: "codex-login" }))
    expect(auth).toMatchObject({ auth_mode: "chatgpt", tokens: { account_id: "account-1234" } })
    for (const token of [auth.tokens.access_token, auth.tokens.id_token]) {
      const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString())
      expect(claims.exp).toBe(Date.UTC(2100, 0, 1) / 1000)
    }
    expect(Date.parse(auth.last_refresh)).toBe(Date.UTC(2100, 0, 1))
  })

  test("talks to the subscription's host only, never to a token endpoint", async () => {
    const { routes } = await prepare({ login, authSlot: "codex-login" })
    expect(routes.map(({ host, auth }) => [host, auth])).toEqual([
      ["chatgpt.com", { scheme: "Bearer", token_ref: "codex-login" }],
    ])
    expect(JSON.stringify(routes)).not.toContain("oauth")
    expect(await config({ login })).toMatchObject({
      model_providers: { bottle: { base_url: "https://chatgpt.com/backend-api/codex" } },
    })
  })

  test("by API key is as any other key", async () => {
    const key = { login: { way: "api-key", account: undefined }, authSlot: "codex-login" } as const
    expect(await fileAt("/home/node/.codex/auth.json", key)).toContain("sk-placeholder")
    expect((await prepare(key)).routes.map(({ host }) => host)).toEqual(["api.openai.com"])
  })
})

describe("where it is found", () => {
  test("npm's native package is shown whole, with the programs it brings, and without Node", () => {
    expect(findCodex(pretendHost({ codex: launcher }, npm), "x64")).toEqual({
      command: `${inside}/bin/codex`,
      mounts: [{ source: x64, target: inside, readonly: true }],
      path: [`${inside}/codex-path`],
      version: "0.169.0",
      source: `${x64}/bin/codex`,
    })
  })

  test("a native package nested below the launcher's is found too", () => {
    const nested = `${modules}/@openai/codex/node_modules/@openai/codex-linux-arm64/vendor/aarch64-unknown-linux-musl`
    const files = { [launcher]: script, [`${nested}/bin/codex`]: elf }
    expect(findCodex(pretendHost({ codex: launcher }, files), "arm64").mounts[0]?.source).toBe(nested)
  })

  test("a binary of its own is shown as that file", () => {
    const found = findCodex(host, "x64")
    expect(found.mounts).toEqual([{ source: program, target: `${inside}/bin/codex`, readonly: true }])
    expect(found.path).toEqual([])
  })

  test.each([
    ["no codex on PATH", {}, {}, "x64"],
    ["a launcher without its native package", { codex: launcher }, { [launcher]: script }, "x64"],
    ["a machine it is not made for", { codex: launcher }, npm, "riscv64"],
  ])("%s is something missing on this machine", async (_, programs, files, arch) => {
    const look = async () => findCodex(pretendHost(programs as never, files as never), arch)
    expect(await failure(look())).toBe("codex-not-found 4")
  })
})

describe("the command line", () => {
  const codex = `${inside}/bin/codex`

  test("headless it runs `exec`, and `resume --last` to go on", async () => {
    const { argv, resumeArgv } = await prepare({ headless: true, prompt: "--help" })
    expect(argv).toEqual([codex, "exec", "--skip-git-repo-check", "--", "--help"])
    expect(resumeArgv).toEqual([codex, "exec", "--skip-git-repo-check", "resume", "--last", "--", "--help"])
  })

  test("a lone hyphen, which would mean stdin, stays a prompt", async () => {
    expect((await prepare({ headless: true, prompt: "-" })).argv.at(-1)).toBe(" -")
  })

  test("on a terminal its news host is kept from the proxy, and further flags come before `resume`", async () => {
    const { argv, resumeArgv } = await prepare({ settings: { extra_args: ["--search"] } })
    const past = "localhost,127.0.0.1,::1,raw.githubusercontent.com"
    const start = ["/usr/bin/env", `NO_PROXY=${past}`, `no_proxy=${past}`, codex, "--search"]
    expect(argv).toEqual(start)
    expect(resumeArgv).toEqual([...start, "resume", "--last"])
  })
})

describe("what the CLI finds", () => {
  test("no approvals, no sandbox of its own, no background process, one host", async () => {
    const loopback = "localhost,127.0.0.1,::1"
    expect(await config({ workspace: "/work space" })).toEqual({
      model_provider: "bottle",
      approval_policy: "never",
      sandbox_mode: "danger-full-access",
      check_for_update_on_startup: false,
      shell_environment_policy: { set: { NO_PROXY: loopback, no_proxy: loopback } },
      analytics: { enabled: false },
      feedback: { enabled: false },
      features: { plugins: false, apps: false, daemon_auto_start: false, enable_request_compression: false },
      model_providers: {
        bottle: {
          name: "OpenAI",
          base_url: "https://api.openai.com/v1",
          wire_api: "responses",
          requires_openai_auth: true,
          supports_websockets: false,
        },
      },
      projects: { "/work space": { trust_level: "trusted" } },
    })
  })

  test("model, system prompt and the supervise tools are written where they are asked for", async () => {
    const systemPrompt = 'Say "hi".\n\\ \u007f [table]\n'
    expect(await config({ systemPrompt, settings: { model: "gpt-test" }, supervise: true })).toMatchObject({
      model: "gpt-test",
      developer_instructions: systemPrompt,
      mcp_servers: { supervise: { url: "http://127.0.0.1:9100/mcp", tool_timeout_sec: 86_400 } },
    })
  })

  test("a placeholder instead of a key", async () => {
    const login = JSON.parse(await fileAt("/home/node/.codex/auth.json", { authSlot: "KEY" }))
    expect(login.OPENAI_API_KEY).toContain("placeholder")
    expect((await prepare()).env).toEqual({ CODEX_CA_CERTIFICATE: "/run/bottle/ca.crt" })
  })

  test("skills in its own folder", async () => {
    const skills = [{ name: "count", files: [{ path: "a/SKILL.md", mode: 0o600, content: "Count." }] }]
    expect(await fileAt("/home/node/.codex/skills/count/a/SKILL.md", { skills })).toBe("Count.")
  })
})

describe("routes", () => {
  test("only model calls and the list of models are let out", async () => {
    const [route] = (await prepare()).routes
    expect([route?.host, route?.scheme, route?.port]).toEqual(["api.openai.com", "https", 443])
    const letOut = (route?.matches ?? []).flatMap(({ methods = [], paths = [], headers = [] }) =>
      methods.flatMap((method) =>
        paths.map(({ value }) => [method, value, ...headers.map((header) => header.value)].join(" ")),
      ),
    )
    expect(letOut).toEqual([
      "POST /v1/responses",
      "POST /v1/responses/compact",
      "GET /v1/models",
      "GET /v1/responses websocket",
    ])
    expect(route).not.toHaveProperty("websocket")
  })

  test("a declared slot is put in as Bearer, without one nothing is", async () => {
    expect((await prepare({ authSlot: "KEY" })).routes[0]?.auth).toEqual({ scheme: "Bearer", token_ref: "KEY" })
    expect((await prepare()).routes[0]).not.toHaveProperty("auth")
  })
})

test("TOML keeps whatever text it is given", () => {
  const text = "tab\t nul\u0000 del\u007f \u{1f9f4} \\ \" ' \r\n"
  const odd = { plain: "x", "a.b": { 'k"': text, n: 3, yes: true } }
  expect(Bun.TOML.parse(writeToml(odd))).toEqual(odd)
  expect(writeToml({ lone: "\ud800" })).toBe('lone = "\ufffd"')
})

test.each([
  ["argv", { argv: ["bash"] }, "argv-not-taken 2"],
  ["a headless session without a prompt", { headless: true, prompt: " " }, "no-prompt 2"],
  ["an unknown setting", { settings: { auth: "oauth" } }, "bad-provider-settings 3"],
  ["a model that is a flag", { settings: { model: "-m" } }, "bad-provider-settings 3"],
  ["extra_args that ends the flags", { settings: { extra_args: ["--"] } }, "bad-provider-settings 3"],
])("%s is refused", async (_, changes, expected) => {
  expect(await failure(prepare(changes))).toBe(expected)
})
