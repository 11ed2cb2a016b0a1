import type { Argument, Command } from "./_command.ts"
import type { CommandEntry } from "./index.ts"

const screen = 80
/** Where descriptions start; a longer name puts its description on the next line. */
const column = 22

/** Help of one command, from its declaration alone: usage, arguments, flags, examples, in 80 columns. */
export function renderCommandHelp(command: Command): string {
  const entries = Object.entries(command.args)
  const positionals = entries.filter(([, argument]) => argument.type === "positional")
  const flags = entries.filter(([, argument]) => argument.type !== "positional")
  const { rest, examples = [] } = command
  const words = positionals.map(([name, argument]) => {
    const word = "multiple" in argument && argument.multiple ? `${hint(name)}…` : hint(name)
    return argument.required ? word : `[${word}]`
  })
  if (flags.length > 0) words.push("[flags]")
  if (rest !== undefined) words.push(`[-- ${hint(rest.name)}…]`)
  const args = positionals.map(([name, argument]) => describe(hint(name), argument))
  if (rest !== undefined) args.push(pair(`-- ${hint(rest.name)}…`, rest.description))
  return sections([
    [command.meta.description],
    [`usage: ${["bottle", command.meta.name, ...words].join(" ")}`],
    args,
    flags.length === 0
      ? []
      : ["flags", ...flags.map(([name, argument]) => describe(flagName(name, argument), argument))],
    examples.length === 0 ? [] : ["examples", ...examples.map((line) => `  ${line}`)],
  ])
}

/** Help of `bottle` alone, from the table, without loading a command. */
export function renderRootHelp(table: Readonly<Record<string, CommandEntry>>): string {
  return sections([
    ["Run any coding agent as if it were already compromised."],
    ["usage: bottle <command> [flags]"],
    Object.entries(table)
      .filter(([, { hidden }]) => hidden !== true)
      .map(([name, { description }]) => pair(name, description)),
    ["bottle <command> --help says more; bottle --version prints the version."],
  ])
}

function flagName(name: string, argument: Argument): string {
  const alias = "alias" in argument ? [argument.alias ?? []].flat().map((letter) => `-${letter}, `) : []
  const value =
    argument.type === "boolean" ? "" : ` ${argument.valueHint ?? hint(argument.type === "enum" ? "name" : name)}`
  return `${alias.join("")}--${name}${value}`
}

function describe(name: string, argument: Argument): string {
  const said = [argument.description ?? ""]
  if ("options" in argument && argument.options !== undefined) said.push(`: ${argument.options.join(", ")}`)
  if (argument.default !== undefined) said.push(` (default ${argument.default})`)
  return pair(name, said.join(""))
}

/** A name and its description, wrapped in its column. */
function pair(name: string, description: string): string {
  const indent = " ".repeat(column)
  const lines = wrap(description, screen - column)
  const head = `  ${name}`
  const first = head.length < column - 1 ? head.padEnd(column) + lines.shift() : head
  return [first, ...lines.map((line) => indent + line)].join("\n")
}

function wrap(text: string, width: number): string[] {
  const lines = [""]
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? ""
    if (line === "") lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

function hint(name: string): string {
  return name.toUpperCase()
}

function sections(parts: readonly (readonly string[])[]): string {
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")
}
