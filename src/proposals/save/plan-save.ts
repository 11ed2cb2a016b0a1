import type { Printable } from "../../lib/yaml-text.ts"
import { canonicalJson } from "../../policy/canonical-json.ts"
import { routeWords } from "../../policy/route-text.ts"
import type { EgressPolicy } from "../../policy/types.ts"
import { knownRoute } from "../../policy/widen.ts"
import type { Change, SavedEdit } from "../grants.ts"
import { hashText } from "../identity.ts"

/** A bottle's file as it is. */
export interface BottleText {
  path: string
  /** As shown: `~/.bot-bottle/bottles/dev.md`. */
  display: string
  text: string
}

export type PlannedSave =
  | { kind: "save"; display: string; text: string; edit: SavedEdit }
  | { kind: "refused"; why: string; hint: string }

/**
 * How an approval is written into a bottle's file: one entry more in the list that counts, which is that of the last
 * file that has one (a later `egress` replaces an earlier one); everything outside of it stays byte for byte. What comes
 * out is read again, and must differ by that entry alone.
 */
export async function planSave(
  change: Change,
  policy: EgressPolicy,
  files: readonly BottleText[],
): Promise<PlannedSave> {
  const entry = entryFor(change, policy)
  if (entry === undefined) return refused("only a route or a host can be saved", "leave --save out")
  const [{ appendToList }, { readDocument, valueAt }, { splitFrontmatter }, { checkDocument }, { bottleSchema }] =
    await Promise.all([
      import("./append-yaml.ts"),
      import("../../manifest/source/document.ts"),
      import("../../manifest/source/frontmatter.ts"),
      import("../../manifest/schema/check.ts"),
      import("../../manifest/schema/bottle.ts"),
    ])
  const read = files.map((file) => {
    const split = splitFrontmatter(file.text)
    if ("message" in split) return { file, yaml: "", data: undefined }
    return { file, yaml: split.yaml, data: readDocument(split.yaml, { firstLine: 2 }).data }
  })
  const having = read.findLast(({ data }) => Array.isArray(valueAt(data, entry.path)))
  const [only, ...others] = read
  const chosen = having ?? (others.length === 0 ? only : undefined)
  if (chosen === undefined) {
    const names = files.map(({ display }) => display).join(", ")
    return refused(
      `none of ${names} has ${entry.path.join(".")}, and writing one would replace its parents'`,
      "edit the file that is meant by hand: bottle edit",
    )
  }
  const { file, yaml, data } = chosen
  const cannot = refused(
    `${file.display} is written in a way that nothing can be added to`,
    `edit it by hand: bottle edit`,
  )
  const insertion = appendToList(yaml, entry.path, entry.item)
  if (insertion === undefined) return cannot
  const start = file.text.indexOf("\n") + 1
  const at = start + insertion.at
  const text = `${file.text.slice(0, at)}${insertion.inserted}${file.text.slice(at)}`
  const after = readDocument(`${yaml.slice(0, insertion.at)}${insertion.inserted}${yaml.slice(insertion.at)}`, {
    firstLine: 2,
    textUnder: ["env"],
  })
  const plain = readDocument(after.problems.length > 0 ? "" : splitYaml(text, splitFrontmatter), { firstLine: 2 })
  const wanted = withItem(data, entry.path, entry.item)
  if (checkDocument(after, bottleSchema).kind === "bad" || canonicalJson(plain.data) !== canonicalJson(wanted))
    return cannot
  const edit = { path: file.path, before: hashText(file.text), after: hashText(text), inserted: insertion.inserted, at }
  return { kind: "save", display: file.display, text, edit }
}

type Entry = { path: readonly [string, string]; item: Printable }

function entryFor(change: Change, policy: EgressPolicy): Entry | undefined {
  if (change.kind === "host") return { path: ["pipelock", "allowlist"], item: change.host }
  if (change.kind !== "route") return undefined
  // Said again where the host has one: without it the entry would be a route that sends none.
  const auth = change.route.auth ?? knownRoute(policy, change.route)?.auth
  return { path: ["egress", "routes"], item: routeWords(auth === undefined ? change.route : { ...change.route, auth }) }
}

function splitYaml(text: string, split: (text: string) => { yaml: string } | object): string {
  const parts = split(text)
  return "yaml" in parts ? parts.yaml : ""
}

/** The data that must come out. */
function withItem(data: unknown, [outer, inner]: readonly [string, string], item: Printable): unknown {
  const root = isObject(data) ? data : {}
  const section = isObject(root[outer]) ? root[outer] : {}
  const list: unknown = section[inner]
  const items: unknown[] = Array.isArray(list) ? list : []
  const added: unknown = JSON.parse(JSON.stringify(item))
  return { ...root, [outer]: { ...section, [inner]: [...items, added] } }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function refused(why: string, hint: string): PlannedSave {
  return { kind: "refused", why, hint }
}
