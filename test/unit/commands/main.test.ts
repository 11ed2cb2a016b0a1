import { describe, expect, test } from "bun:test"
import { defineCommand } from "../../../src/commands/_command.ts"
import { runLine } from "../../../src/commands/_main.ts"
import { commands } from "../../../src/commands/index.ts"
import { fakeShell } from "../../support/command-shell.ts"
import { tempDir } from "../../support/temp.ts"

const home = tempDir("main")
const echo = defineCommand({
  meta: { name: "echo", description: "Say it" },
  args: { word: { type: "positional", required: true, description: "What to say" } },
  rest: { name: "argv", description: "Passed on" },
  async run({ args, rest, shell }) {
    shell.print([args.word, ...(rest ?? [])].join(" "))
    return 7
  },
})
const table = { echo: { description: "Say it", load: async () => echo } }

describe("dispatch", () => {
  test("runs the named command and returns its exit code", async () => {
    const shell = fakeShell(home)
    expect(await runLine(["echo", "hi", "--", "--help"], shell, table)).toBe(7)
    expect(shell.out).toBe("hi --help\n")
  })

  test.each([
    [[], "no command given"],
    [["ecko"], "unknown command ecko"],
    [["constructor"], "unknown command constructor"],
    [["--json", "echo"], "unknown flag --json"],
    [["--version", "x"], "unknown flag --version"],
  ])("refuses %j", async (argv, message) => {
    await expect(runLine(argv, fakeShell(home), table)).rejects.toThrow(message)
  })

  test("suggests the nearest command", async () => {
    const error = await runLine(["ecko"], fakeShell(home), table).catch((thrown) => thrown)
    expect(error).toMatchObject({ hint: "did you mean echo?", exitCode: 2 })
  })

  test.each([[["echo", "--help"]], [["echo", "-h", "--bad"]], [["help", "echo"]]])(
    "%j is help, on stdout",
    async (argv) => {
      const shell = fakeShell(home)
      expect(await runLine(argv, shell, table)).toBe(0)
      expect(shell.out).toContain("bottle echo")
      expect(shell.err).toBe("")
    },
  )
})

describe("help", () => {
  const help = async (...argv: string[]) => {
    const shell = fakeShell(home)
    await runLine([...argv, "--help"], shell, commands)
    return shell.out
  }

  test("of bottle", async () => {
    expect(await help()).toMatchSnapshot()
  })

  test.each(Object.keys(commands))("of %s fits 80 columns and is as its snapshot", async (name) => {
    const text = await help(name)
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([])
    expect(text).toMatchSnapshot()
  })

  test.each(Object.keys(commands))("%s is described in the table as in its own file", async (name) => {
    const entry = commands[name]!
    const { meta } = await entry.load()
    expect(meta).toEqual({ name, description: entry.description })
  })
})
