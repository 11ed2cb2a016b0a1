import { rmSync } from "node:fs"
import { join } from "node:path"
import { openAudit } from "../audit/open.ts"
import { BottleError } from "../lib/errors.ts"
import type { FileLock } from "../lib/kernel.ts"
import type { Paths } from "../lib/paths.ts"
import { backendFor } from "./backends.ts"
import { askKeeper, isAtRest, unknownSlug } from "./client.ts"
import { destroyedFact } from "./keeper/auditing/facts.ts"
import { removeState } from "./keeper/ending/remove-state.ts"
import { ownBottle } from "./keeper/own.ts"
import { removeQueue } from "./keeper/proposals/proposals.ts"
import type { Settled } from "./keeper/protocol.ts"
import { isKeeperAlive, readWhereabouts, type Whereabouts } from "./keeper/whereabouts.ts"
import { StateDir } from "./state.ts"

/** How long a keeper may take to end its bottle and remove it before that is done without it, in ms. */
const patience = 30_000
/** How long one that has answered, or was killed, may take until its process is gone, in ms. */
const lastMoments = 3_000

/** End a running bottle cleanly and say what became of its state. Throws `BottleError` (exit 5, or 1 when it does not run). */
export async function stopBottle(paths: Paths, slug: string): Promise<Settled> {
  const { settled, keeper } = await askToEnd(paths, slug, "stop")
  if (settled === undefined) throw new Error("the keeper did not say how it settled")
  await isGone(keeper, lastMoments)
  return settled
}

/**
 * Stop and remove everything, whatever the markers. Logs stay under `logs/<slug>`. Several at once, also while the bottle
 * is being made or frozen, do it once. Throws `BottleError`: exit 5 for a slug without state.
 */
export async function destroyBottle(paths: Paths, slug: string): Promise<void> {
  const state = new StateDir(paths.state(slug))
  if (!state.exists) throw unknownSlug(slug)
  // No keeper, or one that cannot: what it started is found by the record.
  const asked = askToEnd(paths, slug, "destroy").catch(() => undefined)
  const answered = await Promise.race([asked, Bun.sleep(patience)])
  if (answered) await isGone(answered.keeper, lastMoments)
  const lock = await ownDying(state, slug)
  if (lock === undefined) return
  try {
    await removeOwned(paths, slug, state)
  } finally {
    lock.release()
  }
}

async function removeOwned(paths: Paths, slug: string, state: StateDir): Promise<void> {
  const record = state.record()
  const backend = await backendFor(record?.backend ?? state.metadata()?.backend ?? "namespace")
  if (record !== undefined) await backend.remove(record)
  const recorded = await recordDestroy(paths, slug)
  removeQueue(paths, slug)
  await removeState(state.path, backend)
  rmSync(join(paths.runtimeRoot, slug), { recursive: true, force: true })
  if (recorded === undefined) return
  throw new BottleError(`${slug} is removed, which is not in the audit: ${recorded}`, {
    code: "audit",
    exit: "failed",
    hint: "bottle audit verify",
  })
}

/** Put the removal on record; returns why it could not be. */
async function recordDestroy(paths: Paths, slug: string): Promise<string | undefined> {
  const audit = openAudit({ paths }, slug)
  try {
    await audit.append(destroyedFact())
    await audit.close()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Ask for the end, and remember who was asked: once it has answered nothing on disk says so any more. */
async function askToEnd(paths: Paths, slug: string, how: "stop" | "destroy") {
  const { status } = await askKeeper(paths, slug, { op: "status" })
  const keeper = readWhereabouts(paths.state(slug))
  const answer = await askKeeper(paths, slug, { op: "stop", how })
  return { settled: answer.settled, keeper: keeper?.pid === status?.pid ? keeper : undefined }
}

/** Has this keeper ended, or does it within so many ms? */
async function isGone(keeper: Whereabouts | undefined, limit: number): Promise<boolean> {
  if (keeper === undefined) return true
  for (const end = performance.now() + limit; isKeeperAlive(keeper); await Bun.sleep(5)) {
    if (performance.now() > end) return false
  }
  return true
}

/** Be the one who removes it, once its keeper has ended; undefined: somebody else has removed it. */
async function ownDying(state: StateDir, slug: string): Promise<FileLock | undefined> {
  for (const end = performance.now() + patience; performance.now() < end; await Bun.sleep(20)) {
    await endKeeper(state)
    if (!state.exists) return undefined
    const lock = tryToOwn(state)
    if (lock !== undefined) return lock
  }
  throw new BottleError(`something else is at work on ${slug}`, {
    code: "busy",
    exit: "failed",
    hint: `try again: bottle destroy ${slug}`,
  })
}

function tryToOwn(state: StateDir): FileLock | undefined {
  try {
    return ownBottle(state.path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** A keeper that has done as it was told ends by itself; one that hangs would go on writing into what is removed. */
async function endKeeper(state: StateDir): Promise<void> {
  const keeper = readWhereabouts(state.path)
  if (keeper === undefined || (await isGone(keeper, keeper.phase === "removing" ? lastMoments : 0))) return
  process.kill(keeper.pid, "SIGKILL")
  await isGone(keeper, lastMoments)
}

/**
 * Resuming a bottle that runs would give one state two owners. One whose keeper was killed gets another first, which
 * says what lives. Throws `BottleError`.
 */
export async function assertNotRunning(paths: Paths, slug: string): Promise<void> {
  const state = new StateDir(paths.state(slug))
  if (!state.exists || isAtRest(state)) return
  const running = await askKeeper(paths, slug, { op: "status" }).then(
    () => true,
    () => !isAtRest(state),
  )
  if (!running) return
  throw new BottleError(`${slug} is running`, { code: "running", exit: "failed", hint: `bottle attach ${slug}` })
}
