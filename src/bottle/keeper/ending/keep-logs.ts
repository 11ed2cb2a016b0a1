import { cpSync, existsSync, linkSync, mkdirSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"

const kept = ["bringup.log", "sidecars.log", "teardown.log", "egress/egress.jsonl"]

/**
 * Have a bottle's logs also under `logs/<slug>`, where `bottle logs` finds them after a clean end. A second name for
 * the same file takes no space, so that it works on a full disk; where there can be none it is a copy.
 */
export function keepLogs(stateDir: string, to: string): void {
  for (const name of kept) {
    const from = join(stateDir, name)
    const target = join(to, name)
    if (!existsSync(from)) continue
    try {
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
      rmSync(target, { force: true })
      linkSync(from, target)
    } catch {
      copyInstead(from, target)
    }
  }
}

function copyInstead(from: string, target: string): void {
  try {
    cpSync(from, target)
  } catch {
    // No space, most likely: a bottle must be able to end without it.
  }
}
