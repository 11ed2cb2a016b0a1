import { mkdirSync, rmSync } from "node:fs"
import type { Probe } from "../../backends/backend.ts"
import { BottleError, ExitCode } from "../../lib/errors.ts"
import type { FileLock } from "../../lib/kernel.ts"
import type { Paths } from "../../lib/paths.ts"
import { StateDir } from "../state.ts"
import { copyWorkspace } from "../work/copy-in.ts"
import { treePaths } from "../workspace.ts"
import { failedFact, launchFact, proofFact } from "./auditing/facts.ts"
import { type EndDeps, endProcesses, removeBottle, rest } from "./ending/end.ts"
import { writeLastWords } from "./ending/last-words.ts"
import { holdReserve, whyUnwritable } from "./ending/reserve.ts"
import { forgetFreeze, refreeze, thawBottle } from "./freezing/thaw.ts"
import { Keeper } from "./keeper.ts"
import type { Orderer } from "./orderer.ts"
import { ownNewBottle } from "./own.ts"
import { keeperSocket, placeBottle } from "./place.ts"
import { keepBuilt, putBackImage } from "./proposals/image/put-back.ts"
import type { KeeperOrder, KeeperReport, Settled } from "./protocol.ts"
import { serveClients } from "./server.ts"
import { forgetKeeper, recordKeeper } from "./whereabouts.ts"

type Report = (line: KeeperReport) => void

/**
 * Make a bottle and keep it. From the first word in its state directory on it is listed, and can be stopped, also
 * while it is being made. Whatever fails, or whoever ordered it going away before it is ready, takes everything away
 * again and ends this process.
 */
export async function launchBottle(paths: Paths, order: KeeperOrder, orderer: Orderer, report: Report): Promise<void> {
  const { plan } = order
  const startedAt = performance.now()
  const state = new StateDir(paths.state(plan.slug))
  let deps: EndDeps
  let keeper: Keeper
  let lock: FileLock | undefined
  let isRecorded = false
  try {
    lock = await ownNewBottle(paths, plan.slug)
    if (lock === undefined || (order.resume ? state.rest === undefined : !state.isBare)) throw alreadyThere(plan.slug)
    // Before there is anything to be found by it.
    recordKeeper(state.path, keeperSocket(paths, plan.slug), "starting")
    isRecorded = true
    deps = await placeBottle(paths, plan)
    keeper = new Keeper({ ...deps, done: () => process.exit(0) })
    keeper.owns(lock)
  } catch (error) {
    if (isRecorded) forgetKeeper(state.path)
    if (lock !== undefined && state.isBare) rmSync(state.path, { recursive: true, force: true })
    report(failed(error, paths.home))
    process.exit(1)
  }
  orderer.onGone(() => keeper.cancel("cancelled before it was ready"))
  try {
    keeper.serves(await serveClients(deps.socket, keeper))
    const step = (text: string) => {
      state.log("bringup", text)
      report({ event: "step", text })
    }
    if (order.resume) await endProcesses(deps, undefined)
    state.create()
    for (const warning of plan.warnings) step(`warning: ${warning}`)
    await state.writePlan(plan, keeper.startedAt.toISOString())
    const begun = deps.audit.append(launchFact(plan, order.resume))
    begun.catch((error: Error) => keeper.cancel(`its start is not in the audit: ${error.message}`))
    const wasFrozen = state.rest === "frozen"
    if (wasFrozen) await Promise.race([thaw(deps, step), keeper.cancelled])
    await Promise.race([fillWorkspace(deps, order, step), keeper.cancelled])
    await Promise.race([makeImage(deps, step), keeper.cancelled])
    const probes = await keeper.launch(order, step)
    state.probes = probes
    await begun
    await deps.audit.append(proofFact(probes))
    // What the marker was kept for is in use again; a crash up to here leaves the bottle as it was.
    state.unpreserve()
    holdReserve(state.path)
    recordKeeper(state.path, deps.socket, "keeping")
    orderer.onGone(() => keeper.ordererGone())
    report({ event: "ready", probes, milliseconds: performance.now() - startedAt })
    if (order.resume) forgetFreeze(deps)
    state.log("bringup", `ready after ${(performance.now() - startedAt).toFixed(0)} ms`)
  } catch (error) {
    const settled = await undo(deps, error, order.resume)
    report(failed(error, paths.home))
    await keeper.finish(settled)
    process.exit(1)
  }
}

async function thaw(deps: EndDeps, step: (text: string) => void): Promise<void> {
  step("thawing")
  await thawBottle(deps)
}

/** Copy the working directory, once; a copy that was cut short is made again. */
async function fillWorkspace({ backend, spec, state }: EndDeps, order: KeeperOrder, step: (text: string) => void) {
  const { plan, resume } = order
  const workspace = treePaths.workspace(spec.stateDir)
  if (!plan.copyCwd || (resume && !state.copying)) return
  step(`copying ${plan.cwd}`)
  if (state.copying) {
    await Promise.all([backend.removeTree(workspace), backend.removeTree(state.base)])
    state.create()
  }
  state.copying = true
  mkdirSync(state.base, { recursive: true, mode: 0o700 })
  await Promise.all([workspace, state.base].map((dir) => backend.ownTree(dir, plan.slug)))
  await copyWorkspace(backend, plan.slug, { cwd: plan.cwd, workspace, base: state.base })
  state.copying = false
}

/** Building takes minutes and shows its progress; the launch then finds what was built. */
async function makeImage(deps: EndDeps, step: (text: string) => void): Promise<void> {
  const { backend, spec } = deps
  const build = spec.docker?.build
  if (build === undefined) return
  const image = await backend.buildImage?.(build, step, spec.earlier).catch(async (error: unknown) => {
    throw await putBackImage(deps, error)
  })
  await keepBuilt(deps.state.path)
  if (image !== undefined) step(`image: ${image.name}${image.reused ? ", as it was" : ""}`)
}

/** A launch that failed: its log is kept and what it made is removed; a resumed bottle is at rest again. */
async function undo(deps: EndDeps, error: unknown, resume: boolean): Promise<Settled> {
  const { state, audit } = deps
  await recordFailure(audit, error, deps.paths.home)
  const reasons = resume ? [`resume failed: ${messageOf(error, deps.paths.home)}`] : []
  try {
    await endProcesses(deps, undefined)
    tryLog(state, `failed: ${messageOf(error, deps.paths.home)}`)
    if (!resume) await removeBottle(deps)
    else {
      await state.preserve(reasons, state.rest)
      if (state.rest === "frozen") await refreeze(deps)
      rest(deps)
    }
  } catch (second) {
    writeLastWords(deps.paths.logs, deps.plan.slug, second)
  }
  return { kept: resume, reasons, warnings: [] }
}

/** What can still be put on record: which probe failed, and that nothing runs. */
async function recordFailure(audit: EndDeps["audit"], error: unknown, home: string): Promise<void> {
  const known = error instanceof BottleError ? error : undefined
  try {
    if (Array.isArray(known?.cause)) await audit.append(proofFact(known.cause as Probe[]))
    await audit.append(failedFact(messageOf(error, home), known?.code ?? "launch"))
  } catch {
    // The failure may be that nothing can be written; whoever ordered the launch is told.
  }
}

function tryLog(state: StateDir, text: string): void {
  try {
    state.log("bringup", text)
  } catch {
    // The failure may be that nothing can be written; whoever ordered the launch is told.
  }
}

function failed(error: unknown, home: string): KeeperReport {
  const known = error instanceof BottleError ? error : undefined
  return {
    event: "failed",
    code: known?.code ?? "launch",
    message: messageOf(error, home),
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
    exitCode: known?.exitCode ?? ExitCode.failed,
    ...(Array.isArray(known?.cause) ? { probes: known.cause } : {}),
  }
}

function messageOf(error: unknown, home: string): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === "ENOSPC" || code === "EDQUOT") return whyUnwritable(error, home)
  return error instanceof Error ? error.message : String(error)
}

function alreadyThere(slug: string): BottleError {
  return new BottleError(`${slug} is running`, { code: "running", exit: "failed", hint: `bottle attach ${slug}` })
}
