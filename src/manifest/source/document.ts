import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml"
import { type Place, type Problem, pathText } from "./diagnose.ts"

/** YAML as plain data, with the way back from a path to a position in the file. */
export interface ManifestDocument {
  data: unknown
  problems: readonly Problem[]
  /** Position of what stands at `path`, or of its key; of the nearest parent when nothing stands there. */
  at(path: readonly PropertyKey[], part: "key" | "value"): Place
}

export interface DocumentOptions {
  /** Line of the file on which the text begins. */
  firstLine: number
  /** Top-level keys below which numbers and booleans are kept as the text that was written. */
  textUnder?: readonly string[]
}

/** Far above what any manifest needs; they bound the work that a hostile file can ask for. */
const maxDepth = 24
const maxNodes = 20_000
const maxAliases = 50

/**
 * Parse one YAML document strictly. Merge keys, tags, keys that are not text and `__proto__` are problems, not
 * features; aliases are resolved within a budget. Duplicate keys are looked for here, because the parser's own check
 * takes quadratic time. With a syntax error the data is undefined.
 */
export function readDocument(text: string, options: DocumentOptions): ManifestDocument {
  const lines = new LineCounter()
  // prettyErrors quotes the source for each error: minutes for a file of brackets.
  const doc = parseDocument<Node>(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    merge: false,
    logLevel: "silent",
  })
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line) + options.firstLine - 1, col: Math.max(1, col) }
  }
  const root = doc.contents
  const nodeOf = (node: unknown): Node | undefined => (isAlias(node) ? node.resolve(doc) : (node as Node | undefined))
  const at = (path: readonly PropertyKey[], part: "key" | "value") => placeOf(locate(root, path, part, nodeOf))

  const [syntax] = [...doc.errors, ...doc.warnings].sort((a, b) => a.pos[0] - b.pos[0])
  if (syntax !== undefined) {
    const problem = { place: placeOf(syntax.pos[0]), path: "", message: syntaxMessage(text, syntax) }
    return { data: undefined, problems: [problem], at }
  }
  const problems: Problem[] = []
  const reader: Reader = {
    nodes: 0,
    aliases: 0,
    textUnder: new Set(options.textUnder ?? []),
    nodeOf,
    report: (offset, path, message) => problems.push({ place: placeOf(offset), path: pathText(path), message }),
  }
  return { data: read(root, [], reader, 0), problems, at }
}

/** Without its name: it may be a password that begins with a star. */
const unknownAlias = "unknown alias: a value that begins with * must be quoted"

interface Reader {
  nodes: number
  aliases: number
  textUnder: ReadonlySet<string>
  nodeOf(node: unknown): Node | undefined
  report(offset: number, path: readonly PropertyKey[], message: string): void
}

function read(node: unknown, path: readonly PropertyKey[], reader: Reader, offset: number): unknown {
  const start = startOf(node, offset)
  if (isAlias(node)) {
    reader.aliases += 1
    const target = reader.aliases > maxAliases ? undefined : reader.nodeOf(node)
    if (target !== undefined) return read(target, path, reader, start)
    reader.report(start, path, reader.aliases > maxAliases ? "too many aliases" : unknownAlias)
    return undefined
  }
  if (node === null || node === undefined) return null
  reader.nodes += 1
  if (reader.nodes > maxNodes || path.length > maxDepth) {
    // Said once: every further node would say it again.
    if (reader.nodes < Number.MAX_SAFE_INTEGER) {
      reader.report(start, path.slice(0, 4), path.length > maxDepth ? "nested too deeply" : "too many values")
    }
    reader.nodes = Number.MAX_SAFE_INTEGER
    return undefined
  }
  if (isMap(node)) return readMap(node.items, path, reader, start)
  if (isSeq(node)) return node.items.map((item, index) => read(item, [...path, index], reader, start))
  if (isScalar(node)) return readScalar(node, path, reader, start)
  return undefined
}

function readMap(items: readonly Pair[], path: readonly PropertyKey[], reader: Reader, start: number): object {
  const entries = new Map<string, unknown>()
  for (const { key, value } of items) {
    const keyStart = startOf(key, start)
    const name = keyName(key)
    if (name === undefined || name === "__proto__") {
      reader.report(keyStart, path, name === undefined ? "a key must be plain text" : "__proto__ cannot be a key")
    } else if (entries.has(name)) {
      reader.report(keyStart, [...path, name], "written twice")
    } else {
      entries.set(name, read(value, [...path, name], reader, keyStart))
    }
  }
  // Safe as a plain object: the one key that would not become an own property was refused.
  return Object.fromEntries(entries)
}

function readScalar(
  node: { value?: unknown; source?: string },
  path: readonly PropertyKey[],
  reader: Reader,
  start: number,
): unknown {
  const { value, source } = node
  if (typeof value === "string" || value === null) return value
  if (typeof value === "number" || typeof value === "boolean") {
    const asText = reader.textUnder.has(String(path[0])) && source !== undefined
    return asText ? source : value
  }
  reader.report(start, path, "this kind of value is not supported")
  return undefined
}

/** A key's text, or undefined for a list, a map, an alias or nothing as key. */
function keyName(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined
  if (typeof key.value === "string") return key.value === "" ? undefined : key.value
  return key.source === undefined || key.source === "" ? undefined : key.source
}

function startOf(node: unknown, fallback: number): number {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range
  return range?.[0] ?? fallback
}

function locate(
  root: unknown,
  path: readonly PropertyKey[],
  part: "key" | "value",
  nodeOf: (node: unknown) => Node | undefined,
): number {
  let node: unknown = nodeOf(root)
  let best = startOf(node, 0)
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => keyName(item.key) === String(step))
      if (pair === undefined) return best
      const keyStart = startOf(pair.key, best)
      best = last && part === "key" ? keyStart : isEmpty(pair.value) ? keyStart : startOf(pair.value, keyStart)
      node = nodeOf(pair.value)
    } else if (isSeq(node) && typeof step === "number") {
      const item: unknown = node.items[step]
      if (item === undefined) return best
      best = startOf(item, best)
      node = nodeOf(item)
    } else return best
  }
  return best
}

/** An empty value has a position on a later line, which tells a reader nothing. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? "") === "")
}

const syntaxMessages: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias takes no anchor or tag",
  BAD_ALIAS: "this alias is not well-formed",
  BAD_DIRECTIVE: "YAML directives are not supported",
  BAD_INDENT: "wrong indentation, or a bracket before it is not closed",
  BAD_SCALAR_START: "a value that begins like this must be quoted",
  BLOCK_AS_IMPLICIT_KEY: "a map cannot begin on this line: check the indentation, or quote the value",
  BLOCK_IN_FLOW: "a block cannot stand inside brackets",
  DUPLICATE_KEY: "written twice",
  MISSING_CHAR: "something is missing here: a colon, a comma, a quote or a bracket",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line: is a colon missing?",
  MULTIPLE_DOCS: "only one YAML document is allowed",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "tabs cannot be used to indent: use spaces",
  TAG_RESOLVE_FAILED: "YAML tags are not supported",
  UNEXPECTED_TOKEN: "this cannot stand here",
}

function syntaxMessage(text: string, error: { code: string; pos: readonly [number, number] }): string {
  const rest = text.slice(error.pos[0], error.pos[0] + 2)
  if (/^\?\s?$/.test(rest)) return 'a lone question mark must be quoted: write "?"'
  return syntaxMessages[error.code] ?? "not valid YAML"
}

/** What stands at a path of plain data; undefined when nothing does. */
export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<PropertyKey, unknown>)[step]
  }
  return value
}
