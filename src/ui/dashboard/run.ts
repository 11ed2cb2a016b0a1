import { ExitCode } from "../../lib/errors.ts"
import type { Log } from "../../lib/log.ts"
import type { Paths } from "../../lib/paths.ts"
import { besideThis } from "../../tmux/beside.ts"
import { safeText } from "../safe-text.ts"
import { writeCrash } from "./crash.ts"
import { createEffects, lookBeside } from "./effects.ts"
import { openScreen, type Screen } from "./screen.ts"
import { startSource } from "./source.ts"
import { firstState, reduce } from "./state/reduce.ts"
import type { Effect, Event, State } from "./state/types.ts"
import { view } from "./view/view.ts"

export interface DashboardDeps {
  paths: Paths
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  bin: string
  log: Log
  editText(text: string, suffix: string): Promise<string>
}

/** Show the dashboard until the operator leaves it. Returns the exit code. */
export async function runDashboard(deps: DashboardDeps): Promise<number> {
  const { env, paths, log } = deps
  const screen = await openScreen((env.NO_COLOR ?? "") === "")
  const { promise: left, resolve: leave } = Promise.withResolvers<Left>()
  const release = takeProcess(leave)
  let stop = async () => {}
  try {
    stop = wire(screen, deps, leave)
  } catch (error) {
    leave({ kind: "crash", error })
  }
  const end = await left
  await screen.close()
  await stop()
  release()
  if (end.kind === "quit") return ExitCode.ok
  if (end.kind === "signal") return 128 + end.number
  const why = end.error instanceof Error ? end.error.message : String(end.error)
  log.error(`the dashboard failed: ${safeText(why, 400)}`)
  log.info(`  what happened: ${writeCrash(paths.logs, end.error)}; bottles go on running`)
  return ExitCode.failed
}

type Left = { kind: "quit" } | { kind: "crash"; error: unknown } | { kind: "signal"; number: number }

/** Join state, screen, lists and effects. */
function wire(screen: Screen, deps: DashboardDeps, leave: (end: Left) => void): () => Promise<void> {
  const beside = besideThis(deps.env, deps.cwd)
  let state: State = firstState(screen.size)
  const tell = (event: Event) => {
    try {
      const { state: next, effects } = reduce(state, event)
      if (next !== state) {
        state = next
        screen.draw(view(state, new Date()))
      }
      for (const effect of effects) act(effect)
    } catch (error) {
      leave({ kind: "crash", error })
    }
  }
  const act: (effect: Effect) => void = createEffects({
    paths: deps.paths,
    bin: deps.bin,
    beside,
    screen,
    editText: deps.editText,
    askStart: () => askStart(deps),
    handOver: (argv) => screen.lend(() => handOver(deps, argv)),
    tell,
    quit: () => leave({ kind: "quit" }),
  })
  screen.draw(view(state, new Date()))
  const source = startSource(deps.paths, tell)
  const look = () => void lookBeside({ beside, tell }).catch(() => undefined)
  screen.onKey((key) => tell({ kind: "key", key, at: performance.now() }))
  screen.onResize((size) => {
    tell({ kind: "size", size })
    // A pane beside this one that opens or closes changes its size.
    look()
  })
  look()
  const clock = setInterval(() => {
    if (state.fresh.size > 0) tell({ kind: "tick", at: performance.now() })
    const { modal } = state
    // The policy of what is looked at may move without a word on disk.
    if (modal?.kind === "detail" && !modal.over) act({ kind: "view", slug: modal.slug, id: modal.id })
  }, 1_000)
  void beside?.announce(true)
  return async () => {
    clearInterval(clock)
    source.stop()
    await beside?.announce(false)
  }
}

/** As the plugin's key does: the questions on the operator's surface, the agent in the pane beside this one. */
async function askStart({ bin, env, cwd }: DashboardDeps): Promise<boolean> {
  const { TMUX: server, TMUX_PANE: pane } = env
  if (server === undefined || pane === undefined) return false
  const argv = [bin, "tmux", "start", "--pane", pane]
  const child = Bun.spawn(argv, { env: { ...env }, cwd, stdio: ["ignore", "ignore", "ignore"] })
  return (await child.exited) === 0
}

/** Run a command of ours on this terminal. Its Ctrl-C is not ours. */
async function handOver({ bin, env, cwd }: DashboardDeps, argv: readonly string[]): Promise<void> {
  const listeners = process.listeners("SIGINT")
  const ignore = () => undefined
  process.on("SIGINT", ignore)
  for (const listener of listeners) process.off("SIGINT", listener as NodeJS.SignalsListener)
  try {
    const child = Bun.spawn([bin, ...argv], { env: { ...env }, cwd, stdio: ["inherit", "inherit", "inherit"] })
    await child.exited
  } finally {
    for (const listener of listeners) process.on("SIGINT", listener as NodeJS.SignalsListener)
    process.off("SIGINT", ignore)
  }
}

/** While the screen is ours nothing may end the process without giving the terminal back. */
function takeProcess(leave: (end: Left) => void): () => void {
  const events = ["uncaughtException", "unhandledRejection"] as const
  const before = events.map((event) => process.listeners(event as never))
  const crashed = (error: unknown) => leave({ kind: "crash", error })
  const hangUp = () => leave({ kind: "signal", number: 1 })
  const terminate = () => leave({ kind: "signal", number: 15 })
  for (const event of events) {
    process.removeAllListeners(event)
    process.on(event, crashed)
  }
  process.on("SIGHUP", hangUp)
  process.on("SIGTERM", terminate)
  return () => {
    process.off("SIGHUP", hangUp)
    process.off("SIGTERM", terminate)
    events.forEach((event, index) => {
      process.off(event, crashed)
      for (const listener of before[index] ?? []) process.on(event, listener as never)
    })
  }
}
