import { describe, expect, test } from "bun:test"
import { parseLine } from "../../../src/commands/_arguments.ts"
import { defineCommand } from "../../../src/commands/_command.ts"
import { BottleError } from "../../../src/lib/errors.ts"

const start = defineCommand({
  meta: { name: "start", description: "" },
  args: {
    agent: { type: "positional", required: false },
    bottle: { type: "string", multiple: true },
    label: { type: "string", alias: "l" },
    backend: { type: "enum", options: ["namespace", "docker"] },
    yes: { type: "boolean", alias: "y" },
    "dry-run": { type: "boolean" },
  },
  rest: { name: "argv", description: "" },
  run: async () => 0,
})
const stop = defineCommand({
  meta: { name: "stop", description: "" },
  args: { slug: { type: "positional", required: true }, kind: { type: "positional", options: ["a", "b"] } },
  run: async () => 0,
})

function refusal(
  command: Parameters<typeof parseLine>[0],
  ...argv: string[]
): { message: string; hint: string | undefined } {
  try {
    parseLine(command, argv)
  } catch (error) {
    if (!(error instanceof BottleError)) throw error
    expect(error.exitCode).toBe(2)
    return { message: error.message, hint: error.hint }
  }
  throw new Error("it was accepted")
}

describe("a command line that is right", () => {
  test("has every declared argument, given or not", () => {
    expect(parseLine(start, [])).toEqual({
      args: { agent: undefined, bottle: [], label: undefined, backend: undefined, yes: false, "dry-run": false },
      rest: undefined,
    })
  })

  test("takes flags before and after positionals, with a blank or an equals sign", () => {
    const { args } = parseLine(start, ["--label=a b", "claude", "--dry-run", "--backend", "docker", "-y"])
    expect(args).toMatchObject({ agent: "claude", label: "a b", backend: "docker", yes: true, "dry-run": true })
  })

  test("keeps the order of a flag that may repeat", () => {
    expect(parseLine(start, ["--bottle", "b", "claude", "--bottle=a"]).args.bottle).toEqual(["b", "a"])
  })

  test("leaves everything after -- alone", () => {
    const { args, rest } = parseLine(start, ["claude", "--", "npm", "--help", "--", "--bottle", "x"])
    expect(args.bottle).toEqual([])
    expect(rest).toEqual(["npm", "--help", "--", "--bottle", "x"])
    expect(parseLine(start, ["--"]).rest).toEqual([])
  })

  test("may give a value that starts with a hyphen by an equals sign", () => {
    expect(parseLine(start, ["--label=-x"]).args.label).toBe("-x")
  })
})

describe("a command line that is wrong is refused", () => {
  test.each([
    [["--bottel", "x"], "unknown flag --bottel", "did you mean --bottle?"],
    [["--dryrun"], "unknown flag --dryrun", "did you mean --dry-run?"],
    [["--zzzzzz"], "unknown flag --zzzzzz", "see bottle start --help"],
    [["-x"], "unknown flag -x", "see bottle start --help"],
    [["--no-yes"], "unknown flag --no-yes", "see bottle start --help"],
    [["--__proto__"], "unknown flag --__proto__", "see bottle start --help"],
    [["--agent", "x"], "unknown flag --agent", "see bottle start --help"],
    [["--label", "a", "--label", "a"], "--label is given twice", "it takes one value"],
    [["--yes", "-y"], "-y is given twice", undefined],
    [["--yes=false"], "--yes takes no value", undefined],
    [["--label"], "--label needs a value", undefined],
    [["--label", "--yes"], "--label needs a value", "to give --yes as its value, write --label=--yes"],
    [["--backend", "dokcer"], "--backend: dokcer is none of namespace, docker", "did you mean docker?"],
    [["a", "b"], "one argument too many: b", "what the agent shall run goes after --"],
  ])("%j", (argv, message, hint) => {
    expect(refusal(start, ...argv)).toEqual({ message, hint })
  })

  test.each([
    [[], "bottle stop needs SLUG", "see bottle stop --help"],
    [["x", "c"], "kind: c is none of a, b", undefined],
    [["x", "a", "y"], "one argument too many: y", "see bottle stop --help"],
    [["x", "--", "y"], "bottle stop takes nothing after --", undefined],
  ])("%j", (argv, message, hint) => {
    expect(refusal(stop, ...argv)).toEqual({ message, hint })
  })
})
