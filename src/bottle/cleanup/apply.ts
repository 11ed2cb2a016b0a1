import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Paths } from "../../lib/paths.ts"
import { backendFor } from "../backends.ts"
import { isAtRest } from "../client.ts"
import { dropUnfinished } from "../freeze/store.ts"
import { forgetLaunched, launchedRecords } from "../launched.ts"
import { StateDir } from "../state.ts"
import { destroyBottle } from "../stop.ts"
import { whileIdle } from "./idle.ts"
import { keptBy, strayKeepers } from "./keepers.ts"
import { removeLogs } from "./logs.ts"
import { type CleanupItem, type CleanupPlan, ofNoBottle } from "./plan.ts"

export interface CleanupFailure extends CleanupItem {
  why: string
}

/** Bottles removed at the same time: most of it is waiting for processes and engines. */
const atOnce = 8

/**
 * Carry a plan out. Each thing is looked at again first: what somebody has come back to since stays. One failure stops
 * nothing else.
 */
export async function applyCleanup(paths: Paths, plan: CleanupPlan): Promise<CleanupFailure[]> {
  const failures: CleanupFailure[] = []
  const each = async (items: readonly CleanupItem[], act: (slug: string) => Promise<void>) => {
    const waiting = [...new Map(items.map((item) => [item.slug, item])).values()]
    const work = async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        const { slug, what } = item
        await act(slug).catch((error: unknown) => {
          failures.push({ slug, what, why: error instanceof Error ? error.message : String(error) })
        })
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
  }
  await each(plan.bottles, (slug) => destroyBottle(paths, slug))
  await each(plan.state, (slug) => tidyState(paths, slug))
  await each([...plan.engine, ...plan.processes], (slug) => removeStrays(paths, slug))
  await each(plan.logs, async (slug) => {
    if (!existsSync(paths.state(slug))) removeLogs(paths, slug)
  })
  await each(plan.images, async (name) => (await backendFor("docker")).removeImage?.(name))
  return failures
}

/** A bottle that could be resumed stays, without what is of no use to it; anything else goes. */
async function tidyState(paths: Paths, slug: string): Promise<void> {
  const state = new StateDir(paths.state(slug))
  if (state.plan() === undefined) return destroyBottle(paths, slug)
  whileIdle(state.path, () => {
    if (!isAtRest(state)) return
    dropUnfinished(state.path, state.rest === "frozen")
    rmSync(join(paths.runtimeRoot, slug), { recursive: true, force: true })
  })
}

/** Everything that a bottle without state has left, by what was noted when it was launched. */
async function removeStrays(paths: Paths, slug: string): Promise<void> {
  if (slug === ofNoBottle) return (await backendFor("namespace")).endStrays?.()
  if (existsSync(paths.state(slug))) return
  for (const { pid } of strayKeepers(paths).filter((keeper) => keeper.slug === slug)) {
    // Looked at once more: the number may be somebody else's by now.
    if (keptBy(pid, paths) === slug) process.kill(pid, "SIGKILL")
  }
  const record = launchedRecords(paths.home).get(slug)
  if (record !== undefined) {
    const backend = await backendFor(record.backend)
    await backend.remove(record)
    await backend.forget?.(slug, record)
  }
  rmSync(join(paths.runtimeRoot, slug), { recursive: true, force: true })
  forgetLaunched(paths.state(slug))
}
