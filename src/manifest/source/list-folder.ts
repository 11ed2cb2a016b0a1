import { lstat, readdir } from "node:fs/promises"
import type { Diagnostic } from "./diagnose.ts"

export interface FolderRules {
  followLinks: boolean
  /** With `followLinks: false`, a directory above that may not be a link either. */
  above?: string
}

export interface Listing {
  /** Names of its `.md` files, without the suffix, sorted; hidden files (editors' own) left out. */
  names: readonly string[]
  /** Why it could not be listed; a folder that is not there is empty, not a problem. */
  problem?: string
}

/** A folder with more files is no folder of manifests. */
const maxFiles = 250

/** The manifests in a folder, by name only: nothing in it is opened. */
export async function listFolder(path: string, rules: FolderRules): Promise<Listing> {
  const kind = await folderKind(path, rules)
  if (kind === "missing") return { names: [] }
  if (kind === "link") return { names: [], problem: "a link is not followed here, so its agents are not used" }
  try {
    const files = await readdir(path)
    const names = files.filter((file) => file.endsWith(".md") && !file.startsWith(".")).map((file) => file.slice(0, -3))
    if (names.length > maxFiles) return { names: [], problem: `more than ${maxFiles} files: none is used` }
    return { names: names.sort() }
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? "unknown error"
    return code === "ENOENT" ? { names: [] } : { names: [], problem: `cannot be read (${code})` }
  }
}

/** Whether a folder may be read: `link` when a link, or anything but a directory, stands where none is followed. */
export async function folderKind(path: string, rules: FolderRules): Promise<"usable" | "missing" | "link"> {
  const levels = rules.followLinks ? [] : [...(rules.above === undefined ? [] : [rules.above]), path]
  for (const level of levels) {
    const kind = await kindOf(level)
    if (kind !== "directory") return kind === "missing" ? "missing" : "link"
  }
  return "usable"
}

/** What is wrong with a folder as a whole. */
export function listingProblem(display: string, message: string): Diagnostic {
  return { file: display, line: 1, col: 1, path: "", message }
}

async function kindOf(path: string): Promise<"directory" | "missing" | "other"> {
  try {
    return (await lstat(path)).isDirectory() ? "directory" : "other"
  } catch {
    return "missing"
  }
}
