import type { StartWish } from "../bottle/plan-types.ts"
import { settledLines } from "../bottle/settle.ts"
import {
  launch,
  namedBackend,
  type PreparedStart,
  prepareStart,
  type StartDeps,
  slugFor,
  wishOfKept,
} from "../bottle/start.ts"
import { spawnKeeper, type WaitingKeeper } from "../bottle/start-keeper.ts"
import { StateDir } from "../bottle/state.ts"
import { assertNotRunning } from "../bottle/stop.ts"
import { refuseChanged } from "../bottle/trust.ts"
import { BottleError, ExitCode } from "../lib/errors.ts"
import { isTerminal } from "../lib/stdio.ts"
import { cancelled } from "../lib/terminal.ts"
import { colors } from "./_colors.ts"
import { usageError } from "./_command.ts"
import { runAttached } from "./_session.ts"
import type { Shell } from "./_shell.ts"
import { startDeps } from "./_start-deps.ts"
import { askTrust, sayTrust } from "./_trust.ts"

export interface StartMode {
  dryRun: boolean
  json: boolean
  yes: boolean
}

/** `bottle start`: ask for what is missing, plan, show, confirm, launch, attach. Returns the exit code. */
export async function runStart(given: StartWish, mode: StartMode, shell: Shell): Promise<number> {
  if (given.headless && given.prompt === undefined && given.argv.length === 0) {
    throw usageError("--headless needs --prompt TEXT, or a command after --")
  }
  const deps = await startDeps(shell)
  const wish = await completeWish(given, deps, shell)
  const slug = slugFor(wish)
  if (mode.dryRun) {
    const prepared = await prepareStart(wish, deps, slug)
    await showPlan(prepared, mode.json, shell)
    if (!mode.json) await sayTrust(prepared.spec.agent?.origin, shell)
    return ExitCode.ok
  }
  const asks = !mode.yes && !wish.headless
  if (!wish.headless && !shell.terminal.interactive && !mode.yes) {
    throw usageError("start needs a terminal", "without one: --headless --prompt TEXT, or --headless -- COMMAND")
  }
  // Where nobody is asked, the keeper's process starts while the plan is made.
  const early = asks ? undefined : spawnKeeper(slug)
  try {
    const prepared = await agreeOnStart(wish, deps, slug, asks, shell)
    return await launchAndAttach(prepared, deps, early ?? spawnKeeper(slug), shell, false)
  } catch (error) {
    await early?.dismiss()
    throw error
  }
}

/** The plan, shown where it is asked about, and the operator's yes. Throws `BottleError` (exit 130) for a no. */
export async function agreeOnStart(
  wish: StartWish,
  deps: StartDeps,
  slug: string,
  asks: boolean,
  shell: Shell,
): Promise<PreparedStart> {
  const prepared = await prepareStart(wish, deps, slug)
  if (prepared.renamed !== undefined) shell.log.info(`label in use: this one is ${prepared.renamed}`)
  if (asks) await showPlan(prepared, false, shell)
  // Headless nobody can be asked: the operator has named the bottle, which is what counts.
  if (!wish.headless) await askTrust(prepared.spec.agent?.origin, shell)
  if (asks && !(await shell.terminal.confirm("launch?", "pass --yes"))) throw cancelled()
  return prepared
}

/** `bottle resume`: plan again from what the bottle was started with, launch under the same slug, go on. */
export async function runResume(
  slug: string,
  mode: { dryRun: boolean; json: boolean; headless: boolean; prompt: string | undefined },
  shell: Shell,
): Promise<number> {
  const wish = wishOfKept(shell.paths, slug, { headless: mode.headless, prompt: mode.prompt })
  if (mode.headless && mode.prompt === undefined && wish.argv.length === 0)
    throw usageError("--headless needs --prompt TEXT")
  const deps = await startDeps({ ...shell, cwd: wish.cwd })
  const prepared = await prepareStart(wish, deps, slug, true)
  if (mode.dryRun) return showPlan(prepared, mode.json, shell)
  await assertNotRunning(shell.paths, slug)
  const origin = prepared.spec.agent?.origin
  if (mode.headless) await refuseChanged(new StateDir(shell.paths.state(slug)).plan(), origin, shell.paths)
  else await askTrust(origin, shell)
  return launchAndAttach(prepared, deps, spawnKeeper(slug), shell, true)
}

/** The part that `start` and `resume` share: from a plan to the agent's exit code. */
export async function launchAndAttach(
  prepared: PreparedStart,
  deps: StartDeps,
  keeper: WaitingKeeper,
  shell: Shell,
  resume: boolean,
): Promise<number> {
  const { plan } = prepared
  const headless = plan.headless
  try {
    await launch(prepared, deps, keeper, progress(shell, headless), resume)
    if (!headless) shell.log.info(`${plan.slug}: fence proved, starting ${plan.provider.template}`)
    const tty = headless ? isTerminal(1) : true
    if (headless) sayWhenInterrupted(plan, shell)
    const code = await runAttached(plan.slug, { tty, stdin: !headless }, shell)
    await holdRetention(deps)
    return code
  } catch (error) {
    if (!headless) throw error
    const code = error instanceof BottleError ? error.exitCode : ExitCode.failed
    // What stops before the launch keeps its own code; a launch or session that fails is ours (DESIGN §8).
    if (code !== ExitCode.failed) throw error
    shell.fail(error)
    return ExitCode.ourFailure
  }
}

/** Before the one listener that exits: the keeper ends the bottle on its own, and somebody should say how to go on. */
function sayWhenInterrupted({ slug, discard }: PreparedStart["plan"], shell: Shell): void {
  process.prependOnceListener("SIGINT", () => {
    const settled = { kept: !discard, reasons: ["interrupted"], warnings: [] }
    for (const line of settledLines(slug, settled)) shell.log.info(line)
  })
}

/** Logs of earlier bottles go when their time is over. */
async function holdRetention({ settings, paths }: StartDeps): Promise<void> {
  const seconds = settings.retention?.logs
  if (seconds === undefined) return
  const { holdRetention: hold } = await import("../bottle/cleanup/logs.ts")
  hold(paths, seconds)
}

/** A step a line while a person watches; silence when headless. */
function progress(shell: Shell, headless: boolean): (text: string) => void {
  if (headless) return () => undefined
  return (text) => {
    if (!text.startsWith("fence ")) shell.log.info(text)
  }
}

async function showPlan(prepared: PreparedStart, json: boolean, shell: Shell): Promise<number> {
  if (json) {
    shell.printJson(prepared.plan)
    return ExitCode.ok
  }
  const { preflightLines } = await import("../ui/preflight.ts")
  for (const line of preflightLines(prepared.plan)) shell.log.info(line)
  return ExitCode.ok
}

/** Without an agent a terminal is asked what the popup asks; anything else must say what it wants. */
export async function completeWish(wish: StartWish, deps: StartDeps, shell: Shell): Promise<StartWish> {
  if (wish.agent !== undefined || wish.argv.length > 0) return wish
  if (wish.headless || !shell.terminal.interactive) {
    throw usageError("which agent?", "bottle start AGENT; those there are: bottle list agents")
  }
  const { askStart } = await import("../ui/start-wizard.ts")
  const { listActive } = await import("../bottle/registry.ts")
  const { usableBackends } = await import("../bottle/choose-backend.ts")
  return askStart(wish, {
    manifests: deps.manifests,
    active: () => listActive(shell.paths),
    colors,
    // What is set in the environment or in settings.yml is no question.
    backends: async () => (namedBackend(deps) === undefined ? usableBackends() : []),
  })
}
