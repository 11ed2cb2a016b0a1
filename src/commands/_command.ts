import type { BooleanArgDef, EnumArgDef, PositionalArgDef, StringArgDef } from "citty"
import { BottleError } from "../lib/errors.ts"
import type { Shell } from "./_shell.ts"

/** A flag or positional, declared as citty does; `multiple` lets it repeat, `options` limits a positional. */
export type Argument =
  | BooleanArgDef
  | (StringArgDef & { readonly multiple?: true })
  | EnumArgDef
  | (PositionalArgDef & { readonly options?: readonly string[]; readonly multiple?: true })

export type Arguments = Readonly<Record<string, Argument>>

type ValueOf<A> = A extends { type: "boolean" }
  ? boolean
  : A extends { multiple: true }
    ? readonly string[]
    : A extends { default: string } | { type: "positional"; required: true }
      ? OneOf<A>
      : OneOf<A> | undefined

type OneOf<A> = A extends { options: infer O extends readonly string[] } ? O[number] : string

export type Values<A extends Arguments> = { readonly [K in keyof A]: ValueOf<A[K]> }

export interface CommandContext<A extends Arguments> {
  args: Values<A>
  /** What followed `--`; undefined when there was none. */
  rest: readonly string[] | undefined
  shell: Shell
}

/** One command: data, and a `run` that calls one function, prints, and returns the exit code. */
export interface Command<A extends Arguments = Arguments> {
  meta: { name: string; description: string }
  args: A
  /** What may follow `--`. Without it a `--` is a usage error. */
  rest?: { name: string; description: string }
  /** Said instead of quoting an argument too many, where that could be a secret. */
  tooMany?: string
  examples?: readonly string[]
  run(context: CommandContext<A>): Promise<number>
}

/** Identity, for the inference of argument types. Positionals are required only with `required: true`. */
export function defineCommand<const A extends Arguments>(command: Command<A>): Command<A> {
  return command
}

/** A mistake on the command line: exit 2. */
export function usageError(message: string, hint?: string): BottleError {
  return new BottleError(message, { code: "usage", exit: "usage", ...(hint === undefined ? {} : { hint }) })
}
