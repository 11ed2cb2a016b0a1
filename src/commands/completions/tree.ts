import type { Argument, Command } from "../_command.ts"
import type { CommandEntry } from "../index.ts"

/** Kinds of names that `bottle __complete` lists. */
export const nameKinds = ["slugs", "ended", "agents", "bottles", "proposals"] as const
export type NameKind = (typeof nameKinds)[number]

/** What may stand in one place of a command line. */
export type Choice =
  | { kind: "words"; words: readonly string[] }
  | { kind: "names"; of: readonly NameKind[] }
  | { kind: "files" }
  /** Something only the person knows. */
  | { kind: "text" }

export interface FlagTree {
  long: string
  short: string | undefined
  description: string
  /** Undefined: it takes no value. */
  value: Choice | undefined
  repeats: boolean
}

export interface PlaceTree {
  name: string
  description: string
  required: boolean
  choice: Choice
}

export interface CommandTree {
  name: string
  description: string
  flags: readonly FlagTree[]
  places: readonly PlaceTree[]
  /** What follows `--` is a command line of its own. */
  rest: { name: string; description: string } | undefined
  examples: readonly string[]
}

/** An argument's name says what it holds, in every command alike. */
const byName: Readonly<Record<string, Choice>> = {
  slug: { kind: "names", of: ["slugs"] },
  agent: { kind: "names", of: ["agents"] },
  bottle: { kind: "names", of: ["bottles"] },
  id: { kind: "names", of: ["proposals"] },
  file: { kind: "files" },
  into: { kind: "files" },
}

/** Where a name alone does not say enough: `command argument`. */
const exceptions: Readonly<Record<string, Choice>> = {
  "info name": { kind: "names", of: ["agents", "bottles", "slugs"] },
  "edit name": { kind: "names", of: ["agents", "bottles"] },
  "logs slug": { kind: "names", of: ["slugs", "ended"] },
  "proposals bottle": { kind: "names", of: ["slugs"] },
  "audit slug": { kind: "names", of: ["slugs", "ended"] },
}

/** The whole command line, as data: what completions and the man page are made from. Loads every command. */
export async function commandTree(table: Readonly<Record<string, CommandEntry>>): Promise<CommandTree[]> {
  const shown = Object.values(table).filter((entry) => entry.hidden !== true)
  return Promise.all(shown.map(async (entry) => treeOf(await entry.load())))
}

function treeOf({ meta, args, rest, examples = [] }: Command): CommandTree {
  const entries = Object.entries(args)
  const flags = entries.filter(([, argument]) => argument.type !== "positional")
  const places = entries.filter(([, argument]) => argument.type === "positional")
  return {
    name: meta.name,
    description: meta.description,
    flags: [
      ...flags.map(([name, argument]) => flagOf(meta.name, name, argument)),
      { long: "help", short: "h", description: "Say what it does", value: undefined, repeats: false },
    ],
    places: places.map(([name, argument]) => ({
      name,
      description: argument.description ?? "",
      required: argument.required === true,
      choice: choiceOf(meta.name, name, argument),
    })),
    rest,
    examples,
  }
}

function flagOf(command: string, name: string, argument: Argument): FlagTree {
  const alias = "alias" in argument ? [argument.alias ?? []].flat() : []
  return {
    long: name,
    short: alias.find((text) => text.length === 1),
    description: argument.description ?? "",
    value: argument.type === "boolean" ? undefined : choiceOf(command, name, argument),
    repeats: "multiple" in argument && argument.multiple === true,
  }
}

function choiceOf(command: string, name: string, argument: Argument): Choice {
  if ("options" in argument && argument.options !== undefined) return { kind: "words", words: argument.options }
  return exceptions[`${command} ${name}`] ?? byName[name] ?? { kind: "text" }
}
