import { formatPath } from "./escape.ts"
import { goTo, openBeside, type PaneProgram } from "./layout.ts"
import { findPanes, tagDashboard } from "./panes.ts"
import { currentSocket, openTmux, type Tmux } from "./tmux.ts"

/** The pane right of this one, where agents are shown; looked for by its tag each time, never remembered. */
export interface Beside {
  /** Say that this pane shows the dashboard, or no more: a new proposal may take the focus to it. */
  announce(here: boolean): Promise<unknown>
  /** The bottle that is shown there. */
  shown(): Promise<string | undefined>
  /** Show a program of ours there, and go to it. Answers why it could not be. */
  open(argv: PaneProgram["argv"]): Promise<string | undefined>
  /** Go to the pane that shows this bottle, brought back here if it was put away; false: none does. */
  goTo(slug: string): Promise<boolean>
  /** Keep the pane of this bottle when its program ends; answers with it. */
  hold(slug: string): Promise<string | undefined>
  /** Show another bottle where a pane was held, in its own pane if it has one that was put away; or close it. The keys stay here. */
  replace(pane: string, next: { slug: string; argv: PaneProgram["argv"] } | undefined): Promise<void>
}

/** What our programs need to find this home's bottles: a server's environment is as old as the server. */
const passed = ["HOME", "PATH", "BOT_BOTTLE_HOME", "XDG_RUNTIME_DIR", "NO_COLOR"]

/** Undefined outside tmux. */
export function besideThis(env: Readonly<Record<string, string | undefined>>, cwd: string): Beside | undefined {
  const socket = currentSocket(env)
  const { TMUX_PANE: own } = env
  if (socket === undefined || own === undefined || !/^%\d+$/.test(own)) return undefined
  const given = passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  return besidePane(openTmux(socket, env), own, { cwd, env: Object.fromEntries(given) })
}

export function besidePane(tmux: Tmux, own: string, place: Omit<PaneProgram, "argv">): Beside {
  const here = async () => {
    const looked = await tmux.run(["display-message", "-p", "-t", own, "#{window_id}"])
    const window = looked.ok ? looked.text.trim() : ""
    return (await findPanes(tmux)).filter((pane) => pane.window === window && pane.id !== own)
  }
  const tracked = async () => {
    const ours = "#{&&:#{==:#{@bottle_role},agent},#{@bottle_slug}}"
    const listed = await tmux.run(["list-panes", "-a", "-f", ours, "-F", "#{pane_id}"])
    return new Set(listed.ok ? listed.text.split("\n") : [])
  }
  /** An agent that is shown makes room: its pane goes to a window of its own, and its session goes on. */
  const putAway = async () => {
    const ours = await tracked()
    for (const { id } of await here()) if (ours.has(id)) await tmux.run(["break-pane", "-d", "-s", id])
  }
  return {
    announce: (shown) => tagDashboard(tmux, own, shown),
    shown: async () => (await here())[0]?.slug,
    async open(argv) {
      await putAway()
      const opened = await openBeside(tmux, own, { argv, ...place })
      if (!opened.ok) return opened.message
      await tmux.run(["select-pane", "-t", opened.text])
      return undefined
    },
    async goTo(slug) {
      const pane = (await findPanes(tmux)).find((one) => one.slug === slug && one.id !== own)
      if (pane === undefined) return false
      const beside = (await here()).some(({ id }) => id === pane.id)
      if (!beside && (await tracked()).has(pane.id)) {
        await putAway()
        const joined = await tmux.run(["join-pane", "-h", "-s", pane.id, "-t", own])
        if (joined.ok) return true
      }
      if (beside) return (await tmux.run(["select-pane", "-t", pane.id])).ok
      if ((await goTo(tmux, pane, undefined)).ok) return true
      // Nobody is attached whom it could be shown to: it is chosen all the same.
      return (await tmux.run(["select-window", "-t", pane.window], ["select-pane", "-t", pane.id])).ok
    },
    async hold(slug) {
      const pane = (await here()).find((one) => one.slug === slug)
      if (pane === undefined || !(await tracked()).has(pane.id)) return undefined
      const held = await tmux.run(["set-option", "-p", "-t", pane.id, "remain-on-exit", "on"])
      return held.ok ? pane.id : undefined
    },
    async replace(pane, next) {
      const ours = await tracked()
      const away = (await findPanes(tmux)).find((one) => one.slug === next?.slug && ours.has(one.id))
      if (next === undefined || away !== undefined) {
        await tmux.run(["kill-pane", "-t", pane])
        if (away !== undefined) await tmux.run(["join-pane", "-d", "-h", "-s", away.id, "-t", own])
        return
      }
      const given = Object.entries(place.env).flatMap(([name, value]) => ["-e", `${name}=${value}`])
      const again = ["respawn-pane", "-k", "-t", pane, "-c", formatPath(place.cwd), ...given, ...next.argv]
      await tmux.run(again, ["set-option", "-p", "-u", "-t", pane, "remain-on-exit"])
    },
  }
}
