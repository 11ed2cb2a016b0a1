import { chmodSync, constants, lstatSync, opendirSync } from "node:fs"
import { join } from "node:path"

/**
 * `bottle sidecar --open-trees PATH…`: gives the owner back what he took from himself, so that the trees can be
 * measured. Runs as the agent's user inside the agent's boundary, where whatever it is led to is the agent's own.
 */
export function openTrees(trees: readonly string[]): void {
  const waiting = [...trees]
  for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
    try {
      const { mode } = lstatSync(dir)
      if ((mode & constants.S_IRWXU & 0o500) !== 0o500) chmodSync(dir, (mode & 0o7777) | 0o500)
      const handle = opendirSync(dir)
      for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
        if (entry.isDirectory()) waiting.push(join(dir, entry.name))
      }
      handle.closeSync()
    } catch {
      // What stays closed leaves the measuring incomplete, which counts against the agent.
    }
  }
}
