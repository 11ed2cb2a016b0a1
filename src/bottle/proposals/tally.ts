import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Paths } from "../../lib/paths.ts"
import { isSlug } from "../../lib/slug.ts"
import { namesIn, queueSlugs, readOpen } from "../../proposals/queue/files.ts"
import type { BadgeCounts } from "../../tmux/badge.ts"
import { isKeeperAlive, readWhereabouts } from "../keeper/whereabouts.ts"

/** In the runtime directory of a bottle while it is degraded; it counts while its keeper lives. */
export const degradedMark = "degraded"

/** What waits for the operator, over all bottles of this home. Reads files only. */
export function tally(paths: Paths): BadgeCounts {
  const open = queueSlugs(paths.queue).map((slug) => countOpen(paths, slug))
  const degraded = namesIn(paths.runtimeRoot).filter((slug) => isSlug(slug) && isDegraded(paths, slug))
  return { pending: open.reduce((sum, count) => sum + count, 0), degraded: degraded.length }
}

/** Open proposals of one bottle. */
export function countOpen(paths: Paths, slug: string): number {
  return readOpen(join(paths.queue, slug), slug).proposals.length
}

export function isDegraded(paths: Paths, slug: string): boolean {
  if (!existsSync(join(paths.runtimeRoot, slug, degradedMark))) return false
  const where = readWhereabouts(paths.state(slug))
  return where !== undefined && isKeeperAlive(where)
}
