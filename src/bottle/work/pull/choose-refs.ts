import { safeText } from "../../../ui/safe-text.ts"
import type { SkippedRef, WorkRef } from "./types.ts"

export interface ChosenRef {
  name: string
  oid: string
}

/** More than this is no work of an agent's; the operator names branches then. */
export const mostRefs = 1000
const longestName = 200

/**
 * Which of the workspace's refs are pulled, under which names below `refs/bottle/<slug>/`. The names are an agent's: what
 * could be mistaken, would not stand beside another on some file system, or hides something from the eye stays behind and
 * is said. `known` are objects that were copied in: a ref to one of them is no work. `current` is the branch the agent was on: it comes first.
 */
export function chooseRefs(
  refs: readonly WorkRef[],
  known: ReadonlySet<string>,
  branches: readonly string[],
  current?: string,
): { chosen: ChosenRef[]; skipped: SkippedRef[] } {
  const chosen: ChosenRef[] = []
  const skipped: SkippedRef[] = []
  const taken = new Set<string>()
  const folders = new Set<string>()
  for (const { oid, ref } of [...refs].sort(byImportance(current))) {
    const name = nameOf(ref)
    if (known.has(oid) || (branches.length > 0 && !branches.includes(name))) continue
    const folded = name.normalize("NFC").toLowerCase()
    const parents = ancestors(folded)
    const reason =
      whyOdd(name) ??
      (taken.has(folded) ? "another one has this name but for upper and lower case" : undefined) ??
      (folders.has(folded) || parents.some((parent) => taken.has(parent))
        ? "its name is a folder of another's"
        : undefined)
    if (reason !== undefined) {
      skipped.push({ name, reason })
      continue
    }
    taken.add(folded)
    for (const parent of parents) folders.add(parent)
    chosen.push({ name, oid })
  }
  return { chosen, skipped }
}

const nameOf = (ref: string): string => ref.replace(/^refs\/heads\//, "").replace(/^refs\//, "")

/** Of two names that differ in case alone the plain one stays. */
function byImportance(current: string | undefined): (a: WorkRef, b: WorkRef) => number {
  const rank = ({ ref }: WorkRef) => (ref === current ? 0 : ref === ref.toLowerCase() ? 1 : 2)
  return (a, b) => rank(a) - rank(b) || (a.ref < b.ref ? -1 : 1)
}

/** The rules are stricter than git's own, which lets through what nobody can read or type. */
function whyOdd(name: string): string | undefined {
  if (name.length > longestName) return "its name is too long"
  if (safeText(name, longestName) !== name || name !== name.normalize("NFC"))
    return "its name holds what cannot be seen"
  if (/[\s~^:?*[\]\\"'`$;&|<>(){}!#%\x7f]|\.\.|@\{|\/\/|^\/|\/$/.test(name)) return "its name holds odd characters"
  const parts = name.split("/")
  if (parts.some((part) => part === "" || /^[.-]|\.$|\.lock$/i.test(part)))
    return "its name would be taken for something else"
  return undefined
}

function ancestors(name: string): string[] {
  const parts = name.split("/")
  return parts.slice(1).map((_, count) => parts.slice(0, count + 1).join("/"))
}
