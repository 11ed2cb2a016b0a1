import { formatText } from "./escape.ts"
import { bindCommands, unbindCommands } from "./keys.ts"
import { readOptions, type TmuxOptions } from "./options.ts"
import { fillPlaceholder, statusLines } from "./placeholder.ts"
import type { Tmux } from "./tmux.ts"
import { readAbilities, type TmuxAbilities } from "./version.ts"

export interface Loaded {
  options: TmuxOptions
  abilities: TmuxAbilities
  /** Bad options and missing features, a line each, for the operator. */
  problems: string[]
}

/** What a server is and how it is set up, in one call. */
export async function lookAt(tmux: Tmux): Promise<Loaded & { socket: string; bound: string }> {
  const looked = await tmux.run(
    ["display-message", "-p", "#{version}"],
    ["display-message", "-p", "#{socket_path}"],
    ["show-options", "-g"],
  )
  if (!looked.ok) throw new Error(looked.message)
  const [version = "", socket = "", ...shown] = looked.text.split("\n")
  // A server of somebody else's takes the connection, answers nothing and lets the client exit with 0 (3.3a).
  if (socket === "") throw new Error("the server does not answer; is it another user's?")
  const abilities = readAbilities(version)
  const { options, problems } = readOptions(shown.join("\n"))
  if (!abilities.known) problems.push(`tmux ${version}: an unknown version, taken for the newest`)
  if (!abilities.supported) problems.push(`tmux ${version}: 3.2 or newer is needed`)
  const bound = shown.find((line) => line.startsWith("@bottle_bound "))?.slice("@bottle_bound ".length) ?? ""
  return { options, abilities, problems, socket, bound: bound.replaceAll('"', "") }
}

/**
 * Set a server up: keys, the status placeholder, what is published for themes. Doing it again changes nothing, and
 * nobody else's bindings, hooks or status lines are touched. Returns what was found.
 */
export async function loadPlugin(tmux: Tmux, bin: string, version: string): Promise<Loaded & { socket: string }> {
  const looked = await lookAt(tmux)
  const lines = await tmux.run(...statusLines.map((name) => ["show-options", "-gv", name]))
  const values = lines.ok ? lines.text.split("\n") : []
  const filled = statusLines.flatMap((name, index) => {
    const value = fillPlaceholder(values[index] ?? "")
    return value === undefined ? [] : [["set-option", "-g", name, value]]
  })
  const done = await tmux.run(
    ...unbindCommands(looked.bound),
    ...bindCommands(looked.options, bin),
    ...filled,
    ["set-option", "-g", "@bottle_bin", bin],
    ["set-option", "-g", "@bottle_version", version],
  )
  if (!done.ok) throw new Error(done.message)
  return looked
}

/** Say something in the status line of a client, or of the one last used. Our own words and safe text only. */
export function say(tmux: Tmux, client: string | undefined, text: string) {
  const on = client === undefined ? [] : ["-c", client]
  return tmux.run(["display-message", ...on, "-d", "5000", formatText(`bottle: ${text}`, 300)])
}
