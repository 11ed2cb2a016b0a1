import { isMap, isPair, isScalar, isSeq, type Node, type Pair, parseDocument } from "yaml"
import { type Printable, printYaml } from "../../lib/yaml-text.ts"

/** Text to put into a text at one place: everything outside of it stays byte for byte. */
export interface Insertion {
  at: number
  inserted: string
}

/**
 * How one item comes into a list of a YAML text, with the keys on the way to it if they are not there. Undefined where
 * the text is written in a way (an alias, a list that is none) that cannot be added to.
 */
export function appendToList(text: string, path: readonly [string, string], item: Printable): Insertion | undefined {
  const doc = parseDocument<Node>(text, { prettyErrors: false, logLevel: "silent" })
  if (doc.errors.length > 0) return undefined
  const eol = text.includes("\r\n") ? "\r\n" : "\n"
  const found = insertion(text, doc.contents, path, item)
  return found && { at: found.at, inserted: found.inserted.replaceAll("\n", eol) }
}

function insertion(text: string, root: unknown, path: readonly string[], item: Printable): Insertion | undefined {
  const [key, ...rest] = path
  if (key === undefined) return intoList(text, root, item)
  // What is missing is written as a whole: `routes: [item]`, or `egress: {routes: [item]}`.
  const value = rest.reduceRight<Printable>((inner, name) => ({ [name]: inner }), [item])
  if (root === null || root === undefined) return atEnd(text, printYaml({ [key]: value }))
  if (!isMap(root)) return undefined
  const pair = root.items.find(({ key: name }) => isScalar(name) && name.value === key)
  if (pair === undefined)
    return root.flow ? intoBraces(text, root, `${key}: ${flow(value)}`) : intoMap(text, root, { [key]: value })
  if (isEmpty(pair.value)) return underKey(text, pair, rest.length === 0 ? [item] : value)
  return insertion(text, pair.value, rest, item)
}

function intoList(text: string, node: unknown, item: Printable): Insertion | undefined {
  if (!isSeq(node)) return undefined
  if (node.flow) return intoBraces(text, node, flow(item))
  const first = startOf(node.items[0])
  const last = node.items.at(-1)
  if (first === undefined || last === undefined) return undefined
  const dash = text.lastIndexOf("-", first - 1)
  return afterLine(text, endOf(last), printYaml([item]), columnOf(text, dash))
}

function intoMap(text: string, node: { items: Pair[] }, value: Printable): Insertion | undefined {
  const first = startOf(node.items[0]?.key)
  const last = node.items.at(-1)
  if (first === undefined || last === undefined) return undefined
  const end = isEmpty(last.value) ? endOf(last.key) : endOf(last.value)
  return afterLine(text, end, printYaml(value), columnOf(text, first))
}

/** Behind the last member of a list or map in brackets, before whatever comment or comma follows it. */
function intoBraces(
  text: string,
  node: { items: readonly unknown[]; range?: readonly number[] | null | undefined },
  what: string,
): Insertion | undefined {
  const last = node.items.at(-1)
  const end = isPair(last) ? endOf(isEmpty(last.value) ? last.key : last.value) : endOf(last)
  if (end !== undefined) return { at: end, inserted: `, ${what}` }
  const close = (node.range?.[1] ?? 0) - 1
  return "]}".includes(text[close] ?? " ") ? { at: close, inserted: what } : undefined
}

function underKey(text: string, pair: Pair, value: Printable): Insertion | undefined {
  const key = startOf(pair.key)
  if (key === undefined) return undefined
  return afterLine(text, key, printYaml(value), columnOf(text, key) + 2)
}

function afterLine(text: string, end: number | undefined, block: string, indent: number): Insertion | undefined {
  if (end === undefined) return undefined
  // A node that ends with its line feed has its next line there; any other may have a comment behind it.
  const feed = text[end - 1] === "\n" ? end - 1 : text.indexOf("\n", end)
  const lines = block
    .trimEnd()
    .split("\n")
    .map((line) => `${" ".repeat(indent)}${line}\n`)
    .join("")
  return feed === -1 ? { at: text.length, inserted: `\n${lines}` } : { at: feed + 1, inserted: lines }
}

function atEnd(text: string, block: string): Insertion {
  return { at: text.length, inserted: text === "" || text.endsWith("\n") ? block : `\n${block}` }
}

/** In one line: JSON is YAML. */
function flow(value: Printable): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`
  if (typeof value === "object") {
    const members = Object.entries(value).filter((entry): entry is [string, Printable] => entry[1] !== undefined)
    return `{ ${members.map(([key, member]) => `${key}: ${flow(member)}`).join(", ")} }`
  }
  return JSON.stringify(value)
}

function isEmpty(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null && (node.source ?? "") === "")
}

const startOf = (node: unknown): number | undefined => (node as Node | undefined)?.range?.[0]
const endOf = (node: unknown): number | undefined => (node as Node | undefined)?.range?.[1]

function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf("\n", at - 1) + 1)
}
