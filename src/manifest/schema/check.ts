import type * as z from "zod"
import { nearest } from "../../lib/nearest.ts"
import { type Problem, pathText } from "../source/diagnose.ts"
import { type ManifestDocument, valueAt } from "../source/document.ts"
import { keysAt } from "./keys-at.ts"

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** Each schema parses once a process: compiling it first costs 3 ms more than it saves (Bun 1.4.5). */
export const oneParse = { jitless: true } as const

/** Data as the schema reads it, or all that is wrong with it. */
export type Checked<T> = { kind: "ok"; value: T } | { kind: "bad"; problems: Problem[] }

/**
 * Hold a document against a schema. An empty document counts as one without keys. Every issue becomes a problem in
 * plain words at the key or value it is about; no message repeats a value, which could be a secret in the wrong place.
 */
export function checkDocument<S extends z.ZodType>(document: ManifestDocument, schema: S): Checked<z.output<S>> {
  const known = [...document.problems]
  if (document.data === undefined && known.length > 0) return { kind: "bad", problems: known }
  const data = document.data ?? {}
  const result = schema.safeParse(data, oneParse)
  if (result.success && known.length === 0) return { kind: "ok", value: result.data }
  const said = new Set(known.map(({ path }) => path))
  const found = (result.error?.issues ?? []).flatMap((issue) => tell(issue, [], { data, schema, document }))
  return { kind: "bad", problems: [...known, ...found.filter(({ path }) => !said.has(path))] }
}

interface Context {
  data: unknown
  schema: z.ZodType
  document: ManifestDocument
}

function tell(issue: Issue, parent: Path, context: Context): Problem[] {
  const path = [...parent, ...issue.path]
  const at = (where: Path, part: "key" | "value", message: string): Problem => ({
    place: context.document.at(where, part),
    path: pathText(where),
    message,
  })
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => at([...path, key], "key", unknownKey(key, keysAt(context.schema, path))))
    case "invalid_key":
      return [at(path, "key", issue.issues[0]?.message ?? "not a valid key")]
    case "invalid_union":
      return tellUnion(issue, path, context)
    case "invalid_type": {
      const received = kindOf(valueAt(context.data, path))
      if (received === undefined) return [at(path, "value", "missing")]
      if (isOurs(issue.message)) return [at(path, "value", issue.message)]
      return [at(path, "value", `expected ${typeWords(issue.expected)}, found ${received}`)]
    }
    case "invalid_value":
      return [at(path, "value", oneOf(issue.values.map(String), valueAt(context.data, path)))]
    default:
      return [at(path, "value", plainMessage(issue))]
  }
}

/** Of several forms that a value may have, speak about the one that was meant: the one whose outermost type fits. */
function tellUnion(issue: Extract<Issue, { code: "invalid_union" }>, path: Path, context: Context): Problem[] {
  const fitting = issue.errors.filter(
    (errors) => !errors.some((each) => each.code === "invalid_type" && each.path.length === 0),
  )
  // The form with the fewest complaints; with a tie the one that is listed first.
  const [best] = fitting.toSorted((a, b) => a.length - b.length)
  if (best !== undefined) return best.flatMap((each) => tell(each, path, context))
  if (isOurs(issue.message))
    return [{ place: context.document.at(path, "value"), path: pathText(path), message: issue.message }]
  const types = issue.errors.flatMap((errors) =>
    errors.flatMap((each) => (each.code === "invalid_type" ? [each.expected] : [])),
  )
  const wanted = [...new Set(types.map(typeWords))].join(" or ")
  const received = kindOf(valueAt(context.data, path)) ?? "nothing"
  const message = `expected ${wanted}, found ${received}`
  return [{ place: context.document.at(path, "value"), path: pathText(path), message }]
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  return near === undefined ? "unknown key" : `unknown key; did you mean ${near}?`
}

function oneOf(values: readonly string[], received: unknown): string {
  const near = typeof received === "string" ? nearest(received, values) : undefined
  const expected = `expected ${values.length === 1 ? values[0] : `one of ${values.join(", ")}`}`
  return near === undefined ? expected : `${expected}; did you mean ${near}?`
}

/** Whether the schema itself gave the message; zod's own begin like this, and speak of its types. */
function isOurs(message: string): boolean {
  return !message.startsWith("Too ") && !message.startsWith("Invalid ") && !message.startsWith("Unrecognized ")
}

function plainMessage(issue: Issue): string {
  if (isOurs(issue.message)) return issue.message
  if (issue.code === "too_small") return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`
  if (issue.code === "too_big") return `must be at most ${issue.maximum}`
  return "not valid here"
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "keys with values",
  record: "keys with values",
}

function typeWords(expected: string): string {
  return words[expected] ?? expected
}

/** What was found, in words, without its value; undefined for nothing at all. */
function kindOf(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (value === null) return "nothing"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "number" && !Number.isFinite(value)) return "no finite number"
  return words[typeof value] ?? typeof value
}
