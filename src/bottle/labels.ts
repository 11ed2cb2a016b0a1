import { readdirSync } from "node:fs"
import type { Paths } from "../lib/paths.ts"
import { isSlug } from "../lib/slug.ts"
import { StateDir } from "./state.ts"

/** Labels of the bottles that have state. Reads their metadata only: no keeper is asked. */
export function labelsInUse(paths: Paths): string[] {
  let names: string[]
  try {
    names = readdirSync(paths.stateRoot)
  } catch {
    return []
  }
  return names.filter(isSlug).flatMap((slug) => new StateDir(paths.state(slug)).metadata()?.label ?? [])
}

/** `wanted`, or with the first of -2, -3, … that nobody has. */
export function freeLabel(wanted: string, used: readonly string[]): string {
  let label = wanted
  for (let n = 2; used.includes(label); n += 1) label = `${wanted}-${n}`
  return label
}
