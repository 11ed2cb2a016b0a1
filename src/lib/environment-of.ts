import { readFileSync, statSync } from "node:fs"

/**
 * What a process of ours was started with (`/proc/<pid>/environ`, proc(5)); empty where that cannot be seen: another
 * user's, one that is gone, a system without `/proc`.
 */
export function environmentOf(pid: string): Record<string, string> {
  if (!/^[1-9][0-9]{0,9}$/.test(pid)) return {}
  try {
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return {}
    const words = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")
    const pairs = words.map((word): [string, string] => [
      word.slice(0, word.indexOf("=")),
      word.slice(word.indexOf("=") + 1),
    ])
    return Object.fromEntries(pairs.filter(([name]) => name !== ""))
  } catch {
    return {}
  }
}
