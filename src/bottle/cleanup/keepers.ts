import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import type { Paths } from "../../lib/paths.ts"
import { createPaths } from "../../lib/paths.ts"
import { isSlug } from "../../lib/slug.ts"

export interface StrayKeeper {
  slug: string
  pid: number
}

/** Keepers of this user and this home whose bottle has no state: somebody removed it under their hands. */
export function strayKeepers(paths: Paths): StrayKeeper[] {
  return numbers("/proc").flatMap((pid) => {
    const slug = keptBy(pid, paths)
    return slug === undefined || existsSync(paths.state(slug)) ? [] : [{ slug, pid }]
  })
}

/** The slug that a process keeps for this home, or undefined for every other process. */
export function keptBy(pid: number, paths: Paths): string | undefined {
  try {
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return undefined
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
    const [, verb, slug = ""] = argv
    if (verb !== "keep" || !isSlug(slug)) return undefined
    const env = Object.fromEntries(
      readFileSync(`/proc/${pid}/environ`, "utf8")
        .split("\0")
        .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
    )
    return createPaths(env).home === paths.home ? slug : undefined
  } catch {
    return undefined
  }
}

function numbers(dir: string): number[] {
  try {
    return readdirSync(dir)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}
