import { formatPath } from "./escape.ts"
import type { Tmux, TmuxAnswer } from "./tmux.ts"

export interface PaneProgram {
  /** At least two words, so that no shell and no format reads them. */
  argv: readonly [string, string, ...string[]]
  /** A directory; its name may be anything. */
  cwd: string
  /** For the program; names and values that may be seen. */
  env: Readonly<Record<string, string>>
}

/** Tag of the pane in which agents are shown beside another pane. */
const role = "@bottle_role"

/**
 * Show a program to the right of a pane: in the pane that was opened for that before and whose agent has ended, found
 * by its tag, else in a new one. Answers with the pane's id.
 */
export async function openBeside(tmux: Tmux, from: string, program: PaneProgram): Promise<TmuxAnswer> {
  const { argv, env } = program
  const place = ["-c", formatPath(program.cwd)]
  const given = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`])
  const free = await freePane(tmux, from)
  if (free !== undefined) {
    const again = await tmux.run(["respawn-pane", "-k", "-t", free, ...place, ...given, ...argv])
    if (again.ok) return { ok: true, text: free }
  }
  const where = ["-h", "-t", from, "-P", "-F", "#{pane_id}"]
  const opened = await tmux.run(["split-window", ...where, ...place, ...given, ...argv])
  if (!opened.ok) return opened
  const id = opened.text.trim()
  await tmux.run(["set-option", "-p", "-t", id, role, "agent"])
  return { ok: true, text: id }
}

async function freePane(tmux: Tmux, from: string): Promise<string | undefined> {
  const tracked = `#{&&:#{==:#{${role}},agent},#{==:#{@bottle_slug},}}`
  const listed = await tmux.run(["list-panes", "-t", from, "-f", tracked, "-F", "#{pane_id}"])
  return listed.ok ? listed.text.split("\n").find((id) => id !== "" && id !== from) : undefined
}

/** What the shell of a pane is and where it stands; undefined: there is no such pane. */
export async function lookAtPane(tmux: Tmux, pane: string): Promise<{ pid: string; cwd: string } | undefined> {
  const looked = await tmux.run(["display-message", "-p", "-t", pane, "#{pane_pid} #{pane_current_path}"])
  const match = looked.ok ? /^(\d+) (.*)\n$/s.exec(looked.text) : null
  return match === null ? undefined : { pid: match[1] ?? "", cwd: match[2] ?? "" }
}

/** Bring a client to a pane, wherever it is. */
export function goTo(tmux: Tmux, pane: { id: string; window: string; session: string }, client: string | undefined) {
  const on = client === undefined ? [] : ["-c", client]
  return tmux.run(
    ["switch-client", ...on, "-t", pane.session],
    ["select-window", "-t", pane.window],
    ["select-pane", "-t", pane.id],
  )
}
