import { rmSync } from "node:fs"
import { join } from "node:path"
import type { Backend, LaunchSpec, RunningBottle } from "../../../backends/backend.ts"
import type { Paths } from "../../../lib/paths.ts"
import type { Plan } from "../../plan-types.ts"
import { type EndFacts, settleReasons } from "../../settle.ts"
import type { StateDir } from "../../state.ts"
import { treePaths, workspaceMark } from "../../workspace.ts"
import type { BottleAudit } from "../auditing/bottle-audit.ts"
import { closeProposals, openProposals, removeQueue } from "../proposals/proposals.ts"
import type { Settled } from "../protocol.ts"
import { forgetKeeper, recordKeeper } from "../whereabouts.ts"
import { keepLogs } from "./keep-logs.ts"
import { removeState } from "./remove-state.ts"
import { freeReserve } from "./reserve.ts"
import { snapshot } from "./snapshot.ts"

export interface EndDeps {
  backend: Backend
  paths: Paths
  plan: Plan
  spec: LaunchSpec
  state: StateDir
  audit: BottleAudit
  socket: string
}

export interface EndWish extends Pick<EndFacts, "how" | "exitCode" | "why" | "refused"> {
  destroy: boolean
  /** Undefined: what runs, if anything, is found by the record. */
  bottle: RunningBottle | undefined
}

/**
 * Settle a bottle (BEHAVIOUR 3): snapshot, end every process, keep the logs, then keep or remove the state. Each
 * step is on disk before it is taken, so that whoever comes after a crash goes on where this one was
 * (`take-over.ts`): the marker stands before anything ends, `removing` before anything is removed.
 */
export async function endBottle(deps: EndDeps, wish: EndWish): Promise<Settled> {
  const { state, plan, socket } = deps
  const log = (text: string) => state.log("teardown", text)
  recordKeeper(state.path, socket, "ending")
  log(`ending: ${wish.destroy ? "destroy" : (wish.why ?? wish.how)}, exit code ${wish.exitCode}`)
  const reasons = settleReasons({
    ...wish,
    preserved: state.rest === undefined ? undefined : (state.reasons[0] ?? ""),
    proposals: openProposals(deps),
    work: wish.destroy || plan.discard ? false : await hasWork(deps),
    // A marker wins over everything but the word to destroy.
    discard: wish.destroy || (plan.discard && state.rest === undefined),
    keep: plan.keep ?? false,
  })
  const kept = reasons.length > 0
  if (kept) await state.preserve(reasons)
  else recordKeeper(state.path, socket, "removing")
  const warnings = kept ? await snapshot(deps) : []
  await endProcesses(deps, wish.bottle)
  await answerProposals(deps, reasons[0] ?? "it ended", warnings)
  const recorded = deps.audit.ended(wish, reasons)
  // A bottle that is to be removed is removed, recorded or not.
  if (wish.destroy) await recorded.catch((error: unknown) => warnings.push(notRecorded(error)))
  else await recorded
  log(`every process has ended; ${kept ? `state kept: ${reasons.join("; ")}` : "state removed"}`)
  if (kept) rest(deps)
  else await removeBottle(deps)
  return { kept, reasons, warnings }
}

/**
 * A bottle that cannot go on: a boundary ended on its own, or nothing can be written any more. Its state is kept. The
 * processes end first: on a full disk they would take the space that the last words need.
 */
export async function closeBottle(deps: EndDeps, bottle: RunningBottle | undefined, reason: string): Promise<Settled> {
  const { state } = deps
  await endProcesses(deps, bottle)
  freeReserve(state.path)
  await state.preserve([reason], "closed")
  const warnings: string[] = []
  await answerProposals(deps, reason, warnings)
  await deps.audit.closed(reason).catch((error: unknown) => warnings.push(notRecorded(error)))
  state.log("teardown", `closed: ${reason}`)
  rest(deps)
  return { kept: true, reasons: [reason], warnings }
}

/** No proposal stays open without a bottle; one that cannot be answered keeps no bottle from ending. */
async function answerProposals(deps: EndDeps, reason: string, warnings: string[]): Promise<void> {
  await closeProposals(deps, reason).catch((error: unknown) => {
    warnings.push(`its open proposals could not be answered: ${error instanceof Error ? error.message : String(error)}`)
  })
}

function notRecorded(error: unknown): string {
  return `its end is not in the audit: ${error instanceof Error ? error.message : String(error)}`
}

/** Everything of the bottle that runs, whether we have it in hand or only its record. */
export async function endProcesses({ state, backend }: EndDeps, bottle: RunningBottle | undefined): Promise<void> {
  await bottle?.stop()
  const record = state.record()
  if (bottle === undefined && record !== undefined) await backend.remove(record)
}

/** The last steps of a bottle that is kept: without `keeper.json` it is at rest. */
export function rest({ state, paths, plan, spec }: EndDeps): void {
  keepLogs(state.path, join(paths.logs, plan.slug))
  rmSync(spec.runtimeDir, { recursive: true, force: true })
  freeReserve(state.path)
  forgetKeeper(state.path)
}

/** The last steps of one that is not. */
export async function removeBottle({ state, paths, plan, spec, backend }: EndDeps): Promise<void> {
  keepLogs(state.path, join(paths.logs, plan.slug))
  rmSync(spec.runtimeDir, { recursive: true, force: true })
  removeQueue(paths, plan.slug)
  await removeState(state.path, backend)
}

async function hasWork({ backend, plan, spec, state }: EndDeps): Promise<boolean | undefined> {
  const before = state.workspaceMark
  const record = state.record()
  if (before === undefined) return undefined
  try {
    if (record !== undefined) await backend.bringTrees?.(record, spec)
    const now = await workspaceMark(backend, plan.slug, treePaths.workspace(spec.stateDir))
    // What was pulled is no longer only here.
    return now !== before && now !== state.pulledMark
  } catch {
    return undefined
  }
}
