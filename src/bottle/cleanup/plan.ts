import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { RuntimeRecord } from "../../backends/backend.ts"
import type { Paths } from "../../lib/paths.ts"
import { isSlug } from "../../lib/slug.ts"
import { backendFor } from "../backends.ts"
import { isAtRest } from "../client.ts"
import { unfinishedFreeze } from "../freeze/store.ts"
import { isKeeperAlive, readWhereabouts } from "../keeper/whereabouts.ts"
import { launchedRecords } from "../launched.ts"
import { listActive } from "../registry.ts"
import { StateDir } from "../state.ts"
import { isIdle } from "./idle.ts"
import { strayKeepers } from "./keepers.ts"
import { oldLogs } from "./logs.ts"

/** How long ends that are under way are waited for, in ms. */
const patience = 30_000

/** One thing that would be removed. */
export interface CleanupItem {
  /** Of a bottle, or `ofNoBottle`; an image's name in its bucket. */
  slug: string
  /** What it is, in words. */
  what: string
}

/** Instead of a slug, of which it is none. */
export const ofNoBottle = "(no bottle)"

/** What `bottle cleanup` would do, in its buckets, and what it leaves alone. */
export interface CleanupPlan {
  /** With state and a plan, and nobody who keeps them or could take them over. */
  bottles: CleanupItem[]
  /** Containers, volumes and images whose bottle has no state any more. */
  engine: CleanupItem[]
  /** Processes, control groups and sockets of such bottles on this machine. */
  processes: CleanupItem[]
  /** State directories of nothing that could be resumed. */
  state: CleanupItem[]
  /** Logs of ended bottles past their time. */
  logs: CleanupItem[]
  /** Images that were built for bottles and that nothing is made of; only when they are asked for. */
  images: CleanupItem[]
  /** At rest with a preserve marker: work, which goes only when it is asked for by `preserved`. */
  kept: CleanupItem[]
  /** Places that could not be looked at, such as an engine that is away. */
  unseen: string[]
}

export interface CleanupWish {
  /** Remove what a preserve marker keeps as well. */
  preserved: boolean
  /** Remove logs of ended bottles that are older, in seconds. */
  olderThan: number | undefined
  /** Remove images that nothing is made of and that were built so many seconds ago; undefined: none. */
  images: number | undefined
}

/** Look at everything that is this home's. What lives is taken over or ended first, as every listing does. */
export async function planCleanup(paths: Paths, wish: CleanupWish): Promise<CleanupPlan> {
  const plan: CleanupPlan = {
    ...{ bottles: [], engine: [], processes: [], state: [] },
    ...{ logs: [], images: [], kept: [], unseen: [] },
  }
  await listActive(paths)
  await untilEnded(paths)
  for (const name of namesIn(paths.stateRoot)) addState(paths, name, wish, plan)
  for (const [slug, record] of launchedRecords(paths.home)) {
    if (!existsSync(paths.state(slug))) await addStrays(slug, record, plan)
  }
  for (const slug of namesIn(paths.runtimeRoot).filter(isSlug)) {
    if (!existsSync(paths.state(slug)))
      plan.processes.push({ slug, what: `sockets in ${join(paths.runtimeRoot, slug)}` })
  }
  for (const { slug, pid } of strayKeepers(paths)) plan.processes.push({ slug, what: `keeper, process ${pid}` })
  for (const { kind, name } of (await (await backendFor("namespace")).strays?.()) ?? []) {
    plan.processes.push({ slug: ofNoBottle, what: `sandbox of a killed command, ${kind} ${name}` })
  }
  if (wish.olderThan !== undefined) {
    plan.logs = oldLogs(paths, wish.olderThan).map(({ slug, days }) => ({ slug, what: `logs, ${days} days old` }))
  }
  if (wish.images !== undefined) await addImages(paths, wish.images, plan)
  return plan
}

export const isEmpty = (plan: CleanupPlan): boolean =>
  [plan.bottles, plan.engine, plan.processes, plan.state, plan.logs, plan.images].every((items) => items.length === 0)

/** An end that is under way is waited for: what it leaves is then seen as it is. */
async function untilEnded(paths: Paths): Promise<void> {
  const isEnding = (slug: string) => {
    const where = readWhereabouts(paths.state(slug))
    return where !== undefined && ["ending", "removing"].includes(where.phase) && isKeeperAlive(where)
  }
  for (const limit = performance.now() + patience; performance.now() < limit; await Bun.sleep(50)) {
    if (!namesIn(paths.stateRoot).some(isEnding)) return
  }
}

function addState(paths: Paths, name: string, wish: CleanupWish, plan: CleanupPlan): void {
  const state = new StateDir(paths.state(name))
  if (!isSlug(name) || !state.exists) return
  const planned = state.plan() !== undefined
  if (isAtRest(state)) addUnfinished(paths, state, name, plan)
  if (isAtRest(state) && (planned || holdsFiles(state.path))) {
    const item = { slug: name, what: `${state.rest}: ${state.reasons.join("; ") || "kept"}` }
    if (wish.preserved) plan.bottles.push(item)
    else plan.kept.push(item)
    return
  }
  const where = readWhereabouts(state.path)
  if (where !== undefined && isKeeperAlive(where)) return
  if (planned) plan.bottles.push({ slug: name, what: "without a live process" })
  // Without a plan nothing was launched, and no marker keeps anything; unless the plan was lost: then there are files.
  else if (holdsFiles(state.path)) plan.kept.push({ slug: name, what: "no plan, but files of an agent" })
  else plan.state.push({ slug: name, what: "half-made state" })
}

/** What a freeze of a bottle at rest leaves when it is killed: a copy that counts for nothing, and a place for sockets. */
function addUnfinished(paths: Paths, state: StateDir, slug: string, plan: CleanupPlan): void {
  if (!isIdle(state.path)) return
  if (unfinishedFreeze(state.path, state.rest === "frozen")) plan.state.push({ slug, what: "unfinished freeze" })
  const sockets = join(paths.runtimeRoot, slug)
  if (existsSync(sockets)) plan.state.push({ slug, what: `sockets in ${sockets}` })
}

async function addStrays(slug: string, record: RuntimeRecord, plan: CleanupPlan): Promise<void> {
  try {
    const left = (await (await backendFor(record.backend)).left?.(record)) ?? []
    for (const { kind, name } of left) {
      const bucket = kind === "process" || kind === "group" ? plan.processes : plan.engine
      bucket.push({ slug, what: `${kind} ${name}` })
    }
  } catch (error) {
    plan.unseen.push(`${slug}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** At the engine that a start would take now. */
async function addImages(paths: Paths, olderThan: number, plan: CleanupPlan): Promise<void> {
  const states = namesIn(paths.stateRoot).flatMap((name) => new StateDir(paths.state(name)).record() ?? [])
  try {
    const found = await (await backendFor("docker")).unusedImages?.([
      ...states,
      ...launchedRecords(paths.home).values(),
    ])
    for (const { name, madeAt, bytes } of found ?? []) {
      const age = Date.now() - madeAt
      if (age < olderThan * 1000) continue
      const days = Math.floor(age / 86_400_000)
      plan.images.push({
        slug: name,
        what: `${Math.round(bytes / 1e6)} MB, built ${days === 0 ? "today" : `${days} days ago`}`,
      })
    }
  } catch (error) {
    plan.unseen.push(`images: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function holdsFiles(stateDir: string): boolean {
  return ["fs/home", "fs/workspace", "freeze"].some((name) => namesIn(join(stateDir, name)).length > 0)
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).sort()
  } catch {
    return []
  }
}
