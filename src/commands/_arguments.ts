import { parseArgs } from "node:util"
import { nearest } from "../lib/nearest.ts"
import { type Argument, type Arguments, type Command, usageError, type Values } from "./_command.ts"

/** The strict reading of a command line. */
export interface ParsedLine<A extends Arguments> {
  args: Values<A>
  rest: readonly string[] | undefined
}

/** The part of a command line that is ours: everything before `--`. */
export function beforeDashes(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf("--")
  return dashes === -1 ? argv : argv.slice(0, dashes)
}

/**
 * Read argv against a command's declaration. A flag that is unknown, repeated without `multiple`, lacks its value
 * or has one it does not take, and a positional too many or too few, is a usage error: a mistyped restriction
 * must never pass silently.
 */
export function parseLine<A extends Arguments>(command: Command<A>, argv: readonly string[]): ParsedLine<A> {
  const own = beforeDashes(argv)
  const rest = own.length === argv.length ? undefined : argv.slice(own.length + 1)
  if (rest !== undefined && command.rest === undefined)
    throw usageError(`bottle ${command.meta.name} takes nothing after --`)
  const values: Collected = new Map()
  const positionals: string[] = []
  const { tokens } = parseArgs({ args: [...own], options: optionsOf(command.args), strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value)
    else if (token.kind === "option") keepFlag(command, values, token)
  }
  keepPositionals(command, values, positionals)
  for (const [name, argument] of Object.entries(command.args)) {
    if (!values.has(name)) values.set(name, absentValue(argument))
  }
  // The loops above gave every declared name a value of its declared kind.
  return { args: Object.fromEntries(values) as Values<A>, rest }
}

type Collected = Map<string, string | boolean | string[] | undefined>

interface FlagToken {
  name: string
  rawName: string
  value: string | undefined
  inlineValue: boolean | undefined
}

function keepFlag(command: Command, values: Collected, token: FlagToken): void {
  const argument = Object.hasOwn(command.args, token.name) ? command.args[token.name] : undefined
  if (argument === undefined || argument.type === "positional") throw unknownFlag(command, token.rawName)
  const earlier = values.get(token.name)
  if (argument.type === "boolean") {
    if (token.inlineValue) throw usageError(`${token.rawName} takes no value`)
    if (earlier !== undefined) throw usageError(`${token.rawName} is given twice`)
    values.set(token.name, true)
    return
  }
  const value = flagValue(token)
  checkOptions(token.rawName, value, "options" in argument ? argument.options : undefined)
  if ("multiple" in argument && argument.multiple) {
    values.set(token.name, [...(Array.isArray(earlier) ? earlier : []), value])
    return
  }
  if (earlier !== undefined) throw usageError(`${token.rawName} is given twice`, "it takes one value")
  values.set(token.name, value)
}

function flagValue(token: FlagToken): string {
  if (token.value === undefined) throw usageError(`${token.rawName} needs a value`)
  if (token.inlineValue !== true && token.value.startsWith("-") && token.value !== "-") {
    throw usageError(
      `${token.rawName} needs a value`,
      `to give ${token.value} as its value, write ${token.rawName}=${token.value}`,
    )
  }
  return token.value
}

function keepPositionals(command: Command, values: Collected, given: string[]): void {
  const declared = Object.entries(command.args).filter(([, argument]) => argument.type === "positional")
  for (const [index, [name, argument]] of declared.entries()) {
    if ("multiple" in argument && argument.multiple) {
      if (given.length > index) values.set(name, given.slice(index))
      return
    }
    const value = given[index]
    if (value === undefined) {
      if (argument.required === true)
        throw usageError(`bottle ${command.meta.name} needs ${name.toUpperCase()}`, helpHint(command))
      return
    }
    checkOptions(name, value, "options" in argument ? argument.options : undefined)
    values.set(name, value)
  }
  const extra = given[declared.length]
  if (extra === undefined) return
  if (command.tooMany !== undefined) throw usageError(command.tooMany, helpHint(command))
  const hint = command.rest === undefined ? helpHint(command) : `what the agent shall run goes after --`
  throw usageError(`one argument too many: ${extra}`, hint)
}

function checkOptions(name: string, value: string, options: readonly string[] | undefined): void {
  if (options === undefined || options.includes(value)) return
  const near = nearest(value, options)
  throw usageError(
    `${name}: ${value} is none of ${options.join(", ")}`,
    near === undefined ? undefined : `did you mean ${near}?`,
  )
}

function unknownFlag(command: Command, rawName: string): Error {
  const known = Object.entries(command.args)
    .filter(([, argument]) => argument.type !== "positional")
    .map(([name]) => `--${name}`)
  const near = nearest(rawName, known)
  return usageError(`unknown flag ${rawName}`, near === undefined ? helpHint(command) : `did you mean ${near}?`)
}

function helpHint(command: Command): string {
  return `see bottle ${command.meta.name} --help`
}

function absentValue(argument: Argument): string | boolean | string[] | undefined {
  if (argument.default !== undefined) return argument.default
  if (argument.type === "boolean") return false
  return "multiple" in argument && argument.multiple ? [] : undefined
}

function optionsOf(args: Arguments): Record<string, { type: "string" | "boolean"; short?: string; multiple: true }> {
  const options: Record<string, { type: "string" | "boolean"; short?: string; multiple: true }> = {}
  for (const [name, argument] of Object.entries(args)) {
    if (argument.type === "positional") continue
    const alias = "alias" in argument ? [argument.alias ?? []].flat() : []
    const short = alias.find((text) => text.length === 1)
    const type = argument.type === "boolean" ? "boolean" : "string"
    options[name] = short === undefined ? { type, multiple: true } : { type, short, multiple: true }
  }
  return options
}
