import { rmSync } from "node:fs"
import { basename, join } from "node:path"
import type { Paths } from "../../lib/paths.ts"
import { backendFor } from "../backends.ts"
import { dropFreeze } from "../freeze/store.ts"
import { StateDir } from "../state.ts"
import { endFinishedFact, takenOverFact } from "./auditing/facts.ts"
import { closeBottle, type EndDeps, endBottle, endProcesses, removeBottle, rest } from "./ending/end.ts"
import { removeState } from "./ending/remove-state.ts"
import { finishFreeze } from "./freezing/freeze.ts"
import { Keeper } from "./keeper.ts"
import { placeBottle } from "./place.ts"
import { closeProposals } from "./proposals/proposals.ts"
import { forgetKeeper, type KeeperPhase, readWhereabouts } from "./whereabouts.ts"

/** What became of a bottle whose keeper died: it lives and is kept by this process, it is at rest, or it is gone. */
export type TakenOver = { kind: "kept"; keeper: Keeper } | { kind: "rest" } | { kind: "gone" }

/**
 * Go on where a dead keeper was (BEHAVIOUR 4). What lives is taken over; what was half made is ended and closed; an
 * end that was under way is finished. Called by the bottle's owner only.
 */
export async function takeOver(paths: Paths, slug: string, done: () => void): Promise<TakenOver> {
  const state = new StateDir(paths.state(slug))
  const phase = readWhereabouts(state.path)?.phase
  if (phase === undefined && state.rest !== undefined) return { kind: "rest" }
  if (phase === undefined && state.isBare) {
    removeRuntime(paths, slug)
    await removeState(state.path, await backendFor("namespace"))
    return { kind: "gone" }
  }
  const plan = state.plan()
  if (plan === undefined) return endUnplanned(paths, state, phase)
  return takeOverPlanned(await placeBottle(paths, plan), phase, done)
}

async function takeOverPlanned(deps: EndDeps, phase: KeeperPhase | undefined, done: () => void): Promise<TakenOver> {
  const { state } = deps
  if (phase === "removing") {
    await endProcesses(deps, undefined)
    await deps.audit.tryAppend(endFinishedFact(false))
    await removeBottle(deps)
    return { kind: "gone" }
  }
  if (state.rest === "frozen") {
    // Frozen, or being resumed from it: either way the freeze is what counts.
    await finishFreeze(deps, undefined)
    return { kind: "rest" }
  }
  if (state.rest !== undefined) {
    await endProcesses(deps, undefined)
    state.log("teardown", "another keeper finished the end")
    await closeProposals(deps, "its keeper was killed while it ended").catch(() => undefined)
    await deps.audit.tryAppend(endFinishedFact(true))
    rest(deps)
    return { kind: "rest" }
  }
  if (phase === "ending") {
    const why = "its keeper was killed while the bottle ended"
    const { kept } = await endBottle(deps, {
      how: "cut",
      exitCode: 0,
      why,
      refused: 0,
      destroy: false,
      bottle: undefined,
    })
    return { kind: kept ? "rest" : "gone" }
  }
  if (phase === "freezing") dropFreeze(state.path)
  if (phase === "keeping" || phase === "freezing") {
    const started = state.metadata()?.started_at
    const keeper = new Keeper({ ...deps, done }, started === undefined ? undefined : new Date(started))
    const lives = await keeper.adopt(phase === "freezing")
    const unrecorded = lives ? await deps.audit.tryAppend(takenOverFact(process.pid)) : undefined
    if (lives && unrecorded === undefined && !deps.plan.headless && state.rest === undefined)
      return { kind: "kept", keeper }
    if (lives && state.rest !== undefined) {
      // A decision that was on record when its keeper was killed, and that ends it.
      const { kept } = await keeper.settle({ how: "stop", exitCode: 0 }, false)
      return { kind: kept ? "rest" : "gone" }
    }
    if (lives) {
      // Its session ended with its keeper, and no client of a headless bottle comes back.
      const why = unrecorded ?? "its keeper was killed before the agent was done"
      const { kept } = await keeper.settle({ how: "cut", exitCode: 0, why }, false)
      return { kind: kept ? "rest" : "gone" }
    }
    await closeBottle(deps, undefined, "its keeper and a process that it kept are gone")
    return { kind: "rest" }
  }
  await closeBottle(deps, undefined, "its keeper was killed before the bottle was ready")
  return { kind: "rest" }
}

/** Killed before it had said what it would make: nothing was started, and there is no plan to go on from. */
async function endUnplanned(paths: Paths, state: StateDir, phase: KeeperPhase | undefined): Promise<TakenOver> {
  const backend = await backendFor(state.record()?.backend ?? "namespace")
  const record = state.record()
  if (record !== undefined) await backend.remove(record)
  removeRuntime(paths, basename(state.path))
  if (phase === "removing") {
    await removeState(state.path, backend)
    return { kind: "gone" }
  }
  await state.preserve(["its keeper was killed before the bottle was ready"], "closed")
  forgetKeeper(state.path)
  return { kind: "rest" }
}

function removeRuntime(paths: Paths, slug: string): void {
  rmSync(join(paths.runtimeRoot, slug), { recursive: true, force: true })
}
