import { statfsSync } from "node:fs"
import type { Backend, DiskMeter, Measured, RunningBottle } from "../../../backends/backend.ts"
import { treePaths } from "../../workspace.ts"

/** The meter of a bottle whose trees are on this machine. */
export function hostMeter(backend: Backend, slug: string, stateDir: string, bottle: RunningBottle): DiskMeter {
  const trees = Object.values(treePaths).map((tree) => tree(stateDir))
  return {
    async free() {
      const { bavail, bsize } = statfsSync(stateDir)
      return bavail * bsize
    },
    async measure() {
      const { bytes, complete } = await measureTrees(backend, slug, trees)
      return { bytes: bytes + (bottle.namelessBytes?.() ?? 0), complete }
    },
  }
}

/** Opens what the owner closed to himself, or a directory without permissions would hide what is in it. */
const script = `
find "$@" -xdev -type d ! -perm -500 -exec chmod u+rx {} + 2>/dev/null
LC_ALL=C exec du -x -s --block-size=1 -- "$@"
`

/**
 * What trees of the agent's take on their file system, hard links once. Measured in a sealed sandbox as the agent's
 * own user, which follows nothing (SECURITY 8). Files that vanish meanwhile do not make it incomplete.
 */
async function measureTrees(backend: Backend, slug: string, trees: readonly string[]): Promise<Measured> {
  const mounts = trees.map((source, at) => ({ source, target: `/tree${at}`, readonly: false }))
  try {
    const run = await backend.sealed(
      {
        argv: ["bash", "-c", script, "measure", ...mounts.map(({ target }) => target)],
        mounts,
        cwd: "/",
        maxOutput: 64 * 1024,
        timeout: 60_000,
      },
      slug,
    )
    const lines = new TextDecoder().decode(run.stdout).trim().split("\n").filter(Boolean)
    const bytes = lines.reduce((sum, line) => sum + (Number.parseInt(line, 10) || 0), 0)
    return { bytes, complete: lines.length === trees.length && !/Permission denied/.test(run.stderr) }
  } catch {
    return { bytes: 0, complete: false }
  }
}
