import type { StartWish } from "../../bottle/plan-types.ts"
import { BottleError, ExitCode } from "../../lib/errors.ts"
import { cancelled } from "../../lib/terminal.ts"
import { goTo, lookAtPane, openBeside } from "../../tmux/layout.ts"
import { findPanes } from "../../tmux/panes.ts"
import { currentSocket, openTmux, type Tmux } from "../../tmux/tmux.ts"
import { usageError } from "../_command.ts"
import type { Shell } from "../_shell.ts"

export interface SurfaceOrder {
  pane: string | undefined
  client: string | undefined
  ask: string | undefined
  argv: readonly string[]
}

/**
 * The programs that keys open on a surface. A surface closes with its program: what went wrong waits for a key, so that
 * somebody reads it; backing out of a question closes it at once.
 */
export async function runOnSurface(verb: "ask" | "pick" | "hold", order: SurfaceOrder, shell: Shell): Promise<number> {
  if (!shell.terminal.interactive) throw usageError(`bottle tmux ${verb} needs a terminal`)
  const socket = currentSocket(shell.env)
  const tmux = socket === undefined ? undefined : openTmux(socket, shell.env)
  try {
    if (verb === "hold") return await hold(order, shell)
    return verb === "ask" ? await askAndStart(order, tmux, shell) : await pick(order, tmux, shell)
  } catch (error) {
    const code = shell.fail(error)
    if (code !== ExitCode.cancelled) await anyKey(shell)
    return code
  }
}

/** The questions of a start, then the agent beside the pane in which the key was pressed; here where tmux cannot. */
async function askAndStart({ pane }: SurfaceOrder, tmux: Tmux | undefined, shell: Shell): Promise<number> {
  const [{ agreeOnStart, completeWish, runStart }, { startDeps }, { slugFor }, { startArgv }] = await Promise.all([
    import("../_start.ts"),
    import("../_start-deps.ts"),
    import("../../bottle/start.ts"),
    import("./start-argv.ts"),
  ])
  const here = pane === undefined || tmux === undefined ? undefined : await lookAtPane(tmux, pane)
  const there: Shell = { ...shell, cwd: here?.cwd ?? shell.cwd }
  const deps = await startDeps(there)
  const wish = await completeWish(blankWish(there.cwd), deps, there)
  await agreeOnStart(wish, deps, slugFor(wish), true, there)
  if (pane !== undefined && tmux !== undefined && here !== undefined) {
    const argv = [process.execPath, "start", ...startArgv(wish)] as const
    const opened = await openBeside(tmux, pane, { argv, cwd: here.cwd, env: { BOTTLE_SHELL_PID: here.pid } })
    if (opened.ok) return ExitCode.ok
    shell.log.info(`tmux: ${opened.message}; it starts here`)
  }
  return runStart(wish, { dryRun: false, json: false, yes: true }, there)
}

function blankWish(cwd: string): StartWish {
  return {
    agent: undefined,
    bottles: [],
    label: undefined,
    color: undefined,
    backend: undefined,
    copyCwd: false,
    cwd,
    headless: false,
    prompt: undefined,
    argv: [],
    discard: false,
    keep: false,
  }
}

/** Choose a bottle that runs and go to its pane, or show it beside the pane in which the key was pressed. */
async function pick({ pane, client }: SurfaceOrder, tmux: Tmux | undefined, shell: Shell): Promise<number> {
  const { listActive } = await import("../../bottle/registry.ts")
  const running = (await listActive(shell.paths)).filter(({ state }) => state === "running" || state === "idle")
  if (running.length === 0) {
    throw new BottleError("no bottle is running", { code: "none-running", exit: "notFound", hint: "bottle start" })
  }
  const { select, isCancel } = await import("@clack/prompts")
  const { safeText } = await import("../../ui/safe-text.ts")
  const options = running.map(({ slug, state, label }) => ({
    value: slug,
    label: slug,
    hint: `${state}, ${safeText(label, 40)}`,
  }))
  const slug = await select({ message: "which agent?", options })
  if (isCancel(slug)) throw cancelled()
  const shown = tmux === undefined ? undefined : (await findPanes(tmux)).find((found) => found.slug === slug)
  if (tmux !== undefined && shown !== undefined && (await goTo(tmux, shown, client)).ok) return ExitCode.ok
  const argv = [process.execPath, "attach", slug] as const
  if (tmux !== undefined && pane !== undefined) {
    const opened = await openBeside(tmux, pane, { argv, cwd: shell.env.HOME ?? "/", env: {} })
    if (opened.ok) return ExitCode.ok
  }
  const { runAttached } = await import("../_session.ts")
  return runAttached(slug, { tty: true, stdin: true }, shell)
}

/** Run a command of ours here and wait for a key after it. */
async function hold({ ask, argv }: SurfaceOrder, shell: Shell): Promise<number> {
  if (argv.length === 0) throw usageError("hold needs a command after --")
  if (ask !== undefined && !(await shell.terminal.confirm(ask, "press y"))) throw cancelled()
  const child = Bun.spawn([process.execPath, ...argv], { stdio: ["inherit", "inherit", "inherit"], env: shell.env })
  const code = await child.exited
  await anyKey(shell)
  return code
}

async function anyKey(shell: Shell): Promise<void> {
  shell.log.info("press a key to close")
  const { stdin } = shell
  stdin.setRawMode?.(true)
  stdin.resume()
  await new Promise((resolve) => stdin.once("data", resolve))
  stdin.setRawMode?.(false)
  stdin.pause()
}
