import { describe, expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { version } from "../../package.json"
import { basicEnv, binary, bottle, run } from "../support/command.ts"
import { makePlace, placeBinary } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"
import { startTmux } from "../support/tmux.ts"

const dir = tempDir("cli")
let homes = 0

/** A new, empty home and the environment that names it. */
function newHome(): { home: string; env: Record<string, string> } {
  const home = join(dir, `home-${homes++}`)
  mkdirSync(home)
  return { home: join(home, ".bot-bottle"), env: basicEnv({ HOME: home }) }
}

describe("what is asked for goes to stdout", () => {
  test("the version", async () => {
    expect(await bottle(["--version"])).toEqual({ code: 0, stdout: `bottle ${version}\n`, stderr: "" })
  })

  test.each([["--help"], ["help"], ["help start"], ["start --help"], ["start x -h --bad"]])(
    "help, by bottle %s",
    async (line) => {
      const { code, stdout, stderr } = await bottle(line.split(" "))
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(stdout).toContain("usage: bottle")
    },
  )

  test("a schema that an editor can read", async () => {
    const { stdout } = await bottle(["schema", "bottle"])
    expect(JSON.parse(stdout)).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#", type: "object" })
  })
})

describe.skipIf(!requirePart("root"))("an account that is in no list and has no HOME", () => {
  test("is told so in two lines", async () => {
    const stranger = ["setpriv", "--reuid", "4242", "--regid", "4242", "--clear-groups"]
    const argv = [...stranger, placeBinary(makePlace("user")), "list"]
    const { code, stderr } = await run(argv, { env: { PATH: process.env.PATH ?? "" } })
    expect(code).toBe(4)
    expect(stderr).toBe(
      "error: HOME is not set, and this account has no home\n" +
        "  hint: set HOME, or BOT_BOTTLE_HOME to where bottle may keep its files\n",
    )
  })
})

describe("a mistake on the command line is exit 2, words on stderr, and nothing else", () => {
  test.each([
    ["", "no command given"],
    ["strat", "unknown command strat"],
    ["--json list", "unknown flag --json"],
    ["list --jsom", "unknown flag --jsom"],
    ["list bottlse", "bottlse is none of"],
    ["list agents bottles", "one argument too many"],
    ["info", "bottle info needs NAME"],
    ["list -- x", "takes nothing after --"],
    ["secret set TOKEN the-value", "never an argument"],
    ["start --headless", "--headless needs --prompt"],
    ["start --prompt x", "--prompt goes with --headless"],
    ["start x --json", "--json goes with --dry-run"],
  ])("bottle %s", async (line, message) => {
    const { home, env } = newHome()
    const { code, stdout, stderr } = await bottle(line === "" ? [] : line.split(" "), { env })
    if (line.includes("--json"))
      expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, error: { code: "usage" } })
    else {
      expect(stdout).toBe("")
      expect(stderr).toStartWith("error: ")
      expect(stderr).toContain(message)
      expect(stderr).not.toContain("the-value")
    }
    expect(code).toBe(2)
    // Nothing was made.
    expect(await Bun.file(home).exists()).toBe(false)
  })
})

describe("agents and bottles", () => {
  test("init writes both, private, and says what is next; a second init writes nothing", async () => {
    const { home, env } = newHome()
    const first = await bottle(["init"], { env })
    expect({ code: first.code, stdout: first.stdout }).toEqual({ code: 0, stdout: "" })
    expect(first.stderr).toContain("next: bottle edit dev, then bottle start claude")
    expect(readdirSync(home).sort()).toEqual(["agents", "bottles", "schema"])
    const second = await bottle(["init"], { env })
    expect(second.code).toBe(1)
    expect(second.stderr).toContain("nothing was written")
  })

  test("a starter is listed and described, as words and as data", async () => {
    const { env } = newHome()
    await bottle(["init", "--agent", "me", "--bottle", "mine"], { env })
    expect((await bottle(["list", "agents"], { env })).stdout).toMatch(/^me +mine +~\/\.bot-bottle\/agents\/me\.md/)
    const listed = JSON.parse((await bottle(["list", "bottles", "--json"], { env })).stdout)
    expect(listed).toMatchObject({ schemaVersion: 1, bottles: [{ name: "mine", state: "ok", provider: "claude" }] })
    const info = JSON.parse((await bottle(["info", "me", "--json"], { env })).stdout)
    expect(info).toMatchObject({
      kind: "agent",
      bottle: { kind: "bottle", env: [{ name: "GREETING", from: "literal" }] },
    })
    expect(JSON.stringify(info)).not.toContain("hello")
  })

  test("a broken file is listed as broken beside the others, with its line", async () => {
    const { home, env } = newHome()
    await bottle(["init"], { env })
    writeFileSync(join(home, "bottles", "bad.md"), "---\negress:\n  rotues: []\n---\n")
    const { code, stdout } = await bottle(["list", "bottles"], { env })
    expect(code).toBe(0)
    expect(stdout).toMatch(/bad +broken +bottles\/bad\.md:3:3 egress\.rotues: unknown key; did you mean routes\?/)
    expect(stdout).toMatch(/dev +claude/)
  })

  test("an unknown name is exit 5 with the nearest", async () => {
    const { env } = newHome()
    await bottle(["init"], { env })
    expect(await bottle(["info", "cluade"], { env })).toEqual({
      code: 5,
      stdout: "",
      stderr: "error: nothing is called cluade\n  hint: did you mean claude?\n",
    })
    expect(await bottle(["proposals", "list", "--bottle", "claude-x7k2p"], { env })).toEqual({
      code: 5,
      stdout: "",
      stderr: 'error: no bottle "claude-x7k2p"\n  hint: running and kept bottles: bottle list\n',
    })
  })

  test("edit checks what the editor left: exit 0, or exit 3 with the line", async () => {
    const { env } = newHome()
    await bottle(["init"], { env })
    const edit = (editor: string) => bottle(["edit", "dev"], { env: { ...env, EDITOR: "false", VISUAL: editor } })
    expect((await edit("true")).stderr).toStartWith("unchanged: ")
    expect(await edit("sed -i s/pids:.2000/pids:\\ 1000/")).toMatchObject({ code: 0 })
    expect(await edit("sed -i 's/pids: /pdis: /'")).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/bottles\/dev\.md:\d+:\d+ limits\.pdis: unknown key; did you mean pids\?/),
    })
    expect(await edit("false")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the editor (false) ended with 1"),
    })
  })
})

describe("when something goes wrong", () => {
  test("what nobody planned is one line and a log, never a stack trace", async () => {
    const { home, env } = newHome()
    mkdirSync(join(home, "settings.yml"), { recursive: true })
    const { code, stdout, stderr } = await bottle(["secret", "list"], { env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr.trim().split("\n").length).toBe(2)
    expect(stderr).toContain(`details are in ${join(home, "logs", "crash.log")}`)
    // The log names our files and lines, not those of the bundle.
    expect(readFileSync(join(home, "logs", "crash.log"), "utf8")).toContain("src/lib/settings-secrets.ts:")
  })

  test("a reader that has seen enough ends the command quietly", async () => {
    const script = `"${binary}" schema bottle | head -n 1; echo "\${PIPESTATUS[0]}"`
    expect(await run(["bash", "-c", script])).toEqual({ code: 0, stdout: "{\n0\n", stderr: "" })
  })

  test("without a keyring a secret is not kept, and the three ways are named", async () => {
    const { home, env } = newHome()
    const { code, stdout, stderr } = await bottle(["secret", "set", "TOKEN"], { env, input: "hunter2\n" })
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" })
    for (const way of ["export TOKEN=", "{command: [argv]}", "keyring"]) expect(stderr).toContain(way)
    expect(stderr).not.toContain("hunter2")
    expect(await Bun.file(join(home, "settings.yml")).exists()).toBe(false)
  })

  test.skipIf(!requirePart("tmux"))("a secret that is typed is not shown", async () => {
    const { env } = newHome()
    const tmux = await startTmux([binary, "secret", "set", "TOKEN"], { env })
    try {
      await tmux.see("value of TOKEN")
      await tmux.type("hunter2")
      await tmux.keys("Enter")
      expect(await tmux.see("keyring cannot be used")).not.toMatch(/hunter|\*/)
    } finally {
      await tmux.stop()
    }
  })
})

test("doctor reports every check, as words and as data", async () => {
  const { env } = newHome()
  const { code, stdout } = await bottle(["doctor", "--json"], { env })
  const report = JSON.parse(stdout)
  expect(code).toBe(report.ok ? 0 : 4)
  const ids: string[] = report.checks.map(({ id }: { id: string }) => id)
  const states = new Set(report.checks.map(({ status }: { status: string }) => status))
  expect(states.difference(new Set(["ok", "warn", "fail"])).size).toBe(0)
  const words = await bottle(["doctor"], { env })
  for (const id of ids) expect(words.stdout).toContain(id)
})
