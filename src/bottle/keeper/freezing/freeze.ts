import type { RunningBottle } from "../../../backends/backend.ts"
import { BottleError } from "../../../lib/errors.ts"
import type { FreezeManifest } from "../../freeze/manifest.ts"
import { dropFreeze, storeFreeze } from "../../freeze/store.ts"
import { approvedDockerfile } from "../../frozen-system.ts"
import { frozenFact } from "../auditing/facts.ts"
import { type EndDeps, endProcesses, rest } from "../ending/end.ts"
import { whyUnwritable } from "../ending/reserve.ts"
import { snapshot } from "../ending/snapshot.ts"
import type { Settled } from "../protocol.ts"
import { recordKeeper } from "../whereabouts.ts"

/** What a freeze came to. */
export interface Frozen {
  bytes: number
  members: number
  /** Devices, pipes and names too long, which are not kept. */
  left: number
}

/**
 * Copy a bottle's trees, and what else of the agent's system the backend keeps, while everything inside stands still.
 * Up to the marker, which is written last, the bottle is what it was: whatever fails lets it go on. From the marker on
 * the freeze is what counts, and `finishFreeze` is all there is left to do.
 */
export async function freezeBottle(deps: EndDeps, bottle: RunningBottle | undefined): Promise<Frozen> {
  const { backend, state, spec, plan, paths, socket } = deps
  const { freezer } = backend
  if (freezer === undefined || (bottle !== undefined && bottle.hold === undefined)) throw cannotFreeze(backend.name)
  const { rest: before, reasons } = state
  if (bottle !== undefined) recordKeeper(state.path, socket, "freezing")
  state.log("teardown", "freezing")
  try {
    await bottle?.hold?.()
    // Where the trees are brought to this machine only at the end, their session files are in the freeze alone.
    if (backend.bringTrees === undefined) await snapshot(deps)
    const facts = { slug: plan.slug, backend: backend.name, frozenAt: new Date().toISOString() }
    const manifest = await storeFreeze(state.path, facts, (take) => freezer.freeze(spec, state.record(), take))
    await deps.audit.append(frozenFact(manifest))
    if (manifest.system !== undefined) state.system = { name: manifest.system, on: approvedDockerfile(plan) }
    await state.preserve(["frozen by the operator", ...reasons], "frozen")
    return summed(manifest)
  } catch (error) {
    dropFreeze(state.path)
    await bottle?.letGo?.()
    if (bottle !== undefined) recordKeeper(state.path, socket, "keeping")
    logQuietly(deps, `not frozen: ${whyNot(error, paths.home)}`)
    throw new BottleError(`${plan.slug} was not frozen: ${whyNot(error, paths.home)}`, {
      code: "freeze",
      exit: "failed",
      hint: `nothing has changed: it is ${bottle === undefined ? (before ?? "kept") : "running"} as before`,
      cause: error,
    })
  }
}

/** The freeze is what counts: end what runs, drop the trees that it holds, and be at rest. Done again after a crash. */
export async function finishFreeze(deps: EndDeps, bottle: RunningBottle | undefined): Promise<Settled> {
  const { backend, state, spec } = deps
  await endProcesses(deps, bottle)
  // What cannot be dropped now, an engine being away, is dropped by the thaw.
  await backend.freezer?.clear(spec, state.system?.name).catch((error: unknown) => {
    logQuietly(deps, `not dropped: ${whyNot(error, deps.paths.home)}`)
  })
  logQuietly(deps, "frozen; every process has ended")
  rest(deps)
  return { kept: true, reasons: state.reasons, warnings: [] }
}

function summed({ archives }: FreezeManifest): Frozen {
  const all = Object.values(archives)
  const sum = (count: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + count(one), 0)
  return { bytes: sum((one) => one.bytes), members: sum((one) => one.members), left: sum((one) => one.left) }
}

function whyNot(error: unknown, home: string): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === "ENOSPC" || code === "EDQUOT") return whyUnwritable(error, home)
  return error instanceof Error ? error.message : String(error)
}

function logQuietly({ state }: EndDeps, text: string): void {
  try {
    state.log("teardown", text)
  } catch {
    // The disk may be full; whoever asked is told.
  }
}

function cannotFreeze(name: string): BottleError {
  return new BottleError(`the ${name} backend cannot freeze a bottle`, {
    code: "freeze-backend",
    exit: "missingPart",
    hint: "bottle stop keeps its work as well",
  })
}
