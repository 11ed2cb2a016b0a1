import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { makeTmuxScreen, seeUntil, type TmuxScreen } from "../integration/providers/tmux-screen.ts"
import { root } from "../support/command.ts"
import { nodeWithProxy, requirePart } from "../support/require.ts"

/**
 * The screens of the real Codex and Pi are the same with and without the filter, cell by cell (Claude Code's are
 * compared beside its provider). Each runs in a sandbox without any network, which is enough for its first screens.
 */

const modules = join(root, "test", "agents", "node_modules")
const platform = process.arch === "arm64" ? "aarch64-unknown-linux-musl" : "x86_64-unknown-linux-musl"
const codex = join(modules, "@openai", `codex-linux-${process.arch}`, "vendor", platform, "bin", "codex")
const pi = join(modules, "@earendil-works", "pi-coding-agent")

interface Agent {
  name: string
  installed: boolean
  files: Readonly<Record<string, string>>
  env: Readonly<Record<string, string>>
  mounts: readonly string[]
  argv: readonly string[]
  /** What its first screen shows when it is complete. */
  started: RegExp
  /** What is typed then, and what shows that it was taken. */
  typed: string
}

const agents: readonly Agent[] = [
  {
    name: "Codex",
    installed: existsSync(codex),
    files: {
      ".codex/config.toml": [
        ...['model = "fake-model"', 'approval_policy = "never"', 'sandbox_mode = "danger-full-access"'],
        ...["check_for_update_on_startup = false", 'model_provider = "fake"', "[analytics]", "enabled = false"],
        ...["[features]", "plugins = false", "apps = false", "daemon_auto_start = false"],
        ...["[model_providers.fake]", 'name = "Fake"', 'base_url = "http://127.0.0.1:1/v1"', 'wire_api = "responses"'],
        ...['env_key = "FAKE_KEY"', "supports_websockets = false", ""],
      ].join("\n"),
      ".codex/auth.json": '{"OPENAI_API_KEY":"sk-placeholder"}',
    },
    env: { FAKE_KEY: "placeholder" },
    mounts: ["--ro-bind", dirname(dirname(codex)), "/opt/codex"],
    argv: ["/opt/codex/bin/codex"],
    started: /fake-model/,
    typed: "look at grüße 日本 ",
  },
  {
    name: "Pi",
    installed: existsSync(join(pi, "dist", "bundle", "cli.js")) && nodeWithProxy() !== undefined,
    files: {
      ".pi/agent/settings.json":
        '{"defaultProjectTrust":"always","enableInstallTelemetry":false,"defaultProvider":"fake","defaultModel":"fake-model"}',
      ".pi/agent/models.json":
        '{"providers":{"fake":{"baseUrl":"http://127.0.0.1:1/v1","api":"openai-completions","apiKey":"x","models":[{"id":"fake-model"}]}}}',
    },
    env: { PI_OFFLINE: "1" },
    mounts: ["--ro-bind", pi, "/opt/pi", "--ro-bind", nodeWithProxy() ?? "/bin/false", "/opt/node"],
    argv: ["/opt/node", "/opt/pi/dist/bundle/cli.js"],
    started: /fake-model/,
    typed: "look at grüße 日本 ",
  },
]

describe.skipIf(!requirePart("bwrap") || !requirePart("tmux"))("the screen through the filter is the same, for", () => {
  const dir = mkdtempSync(join(tmpdir(), "bottle-screens-"))
  let screen: TmuxScreen
  beforeAll(() => {
    screen = makeTmuxScreen(join(dir, "s"))
  })
  // Its socket is in the directory: first the server, then that.
  afterAll(async () => {
    await screen.close()
    rmSync(dir, { recursive: true, force: true })
  })

  for (const agent of agents) {
    if (!agent.installed) console.error(`skipped: ${agent.name} is not installed in test/agents`)
    test.skipIf(!agent.installed)(
      agent.name,
      async () => {
        const { name } = agent
        const home = join(dir, name)
        for (const [path, text] of Object.entries({ ...agent.files, "workspace/file": "text" })) {
          mkdirSync(dirname(join(home, path)), { recursive: true })
          writeFileSync(join(home, path), text)
        }
        const record = join(dir, `${name}.record`)
        const relay = join(root, "test", "integration", "providers", "filter-relay.ts")
        await screen.run(name, [process.execPath, relay, record, ...sandbox(agent, home)])
        const titleBefore = await screen.ask(name, "#{pane_title}")

        const compare = async (moment: string) => {
          const filtered = await steady(name)
          const kept = join(dir, `${name}-${moment}`)
          copyFileSync(record, kept)
          await screen.run(`${name}-${moment}`, ["sh", "-c", 'stty raw -echo; cat "$1"; exec sleep 1000', "sh", kept])
          const look = () => screen.picture(`${name}-${moment}`)
          expect(await seeUntil(look, (seen) => seen === filtered, 5000).catch(look)).toBe(filtered)
        }
        await seeUntil(
          () => screen.text(name),
          (text) => agent.started.test(text),
        )
        await compare("started")
        await screen.keys(name, "-l", agent.typed)
        await seeUntil(
          () => screen.text(name),
          (text) => text.includes(agent.typed.trim()),
        )
        await compare("typed")
        await screen.keys(name, "-l", "/")
        await compare("menu")
        expect(await screen.ask(name, "#{pane_title}")).toBe(titleBefore)
        // There was something to take out: questions to the terminal at least.
        expect(readFileSync(record, "latin1")).toMatch(/\x1b\[(?:c|6n|\?u|>0?q|\?\d+\$p)|\x1b\](?:0|2|8|9|10|11);/)
      },
      300_000,
    )
  }

  /** The picture once it has stayed the same for a second. */
  async function steady(name: string): Promise<string> {
    let last = ""
    let since = Date.now()
    return seeUntil(
      () => screen.picture(name),
      (picture) => {
        if (picture !== last) [last, since] = [picture, Date.now()]
        return Date.now() - since > 1000
      },
    )
  }
})

/** No network, no home but the test's, and nothing else of the machine but its programs. */
function sandbox({ env, mounts, argv }: Agent, home: string): string[] {
  const links = ["bin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`])
  const environment = { HOME: "/home/node", PATH: "/usr/bin:/bin", TERM: "xterm-256color", LANG: "C.UTF-8", ...env }
  return [
    ...["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--uid", "1000", "--gid", "1000"],
    ...["--ro-bind", "/usr", "/usr", ...links, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...["--bind", home, "/home/node", ...mounts],
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", "/home/node/workspace", ...argv],
  ]
}
