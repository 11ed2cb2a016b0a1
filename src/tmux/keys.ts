import { quoteConfig, quoteShell } from "./escape.ts"
import type { TmuxOptions } from "./options.ts"

/** The key table behind `@bottle-key` on an agent's pane, and behind `@bottle-menu-key`. */
export const menuTable = "bottle"

export const menuKeys = [
  { key: "s", verb: "start", does: "start an agent" },
  { key: "d", verb: "dashboard", does: "dashboard" },
  { key: "n", verb: "next", does: "next proposal" },
  { key: "a", verb: "attach", does: "go to the agent" },
  { key: "x", verb: "stop", does: "stop the bottle" },
  { key: "l", verb: "logs", does: "logs" },
  { key: "r", verb: "routes", does: "routes" },
] as const

export type MenuVerb = (typeof menuKeys)[number]["verb"]

const hint = `bottle: ${menuKeys.map(({ key, does }) => `${key} ${does}`).join(", ")}`

/** What was bound by an earlier load, as `@bottle_bound` keeps it: `prefix B,root M-b`. */
export function unbindCommands(bound: string): string[][] {
  return bound
    .split(",")
    .map((entry) => entry.trim().split(" "))
    .flatMap(([table = "", key = ""]) => (key === "" ? [] : [["unbind-key", "-q", "-T", table, key]]))
}

/** The bindings, and what `@bottle_bound` shall hold. `bin` is the absolute path of the binary. */
export function bindCommands(options: Pick<TmuxOptions, "key" | "menuKey">, bin: string): string[][] {
  const { key, menuKey } = options
  const menu = [["switch-client", "-T", menuTable] as const, ["display-message", "-d", "4000", hint] as const]
  const bound = [
    ...(key === undefined ? [] : [`prefix ${key}`]),
    ...(menuKey === undefined ? [] : [`prefix ${menuKey}`]),
    ...menuKeys.map((entry) => `${menuTable} ${entry.key}`),
  ]
  return [
    ...(key === undefined ? [] : [bind("start an agent, or act on this one", "prefix", key, keyCommand(menu, bin))]),
    ...(menuKey === undefined
      ? []
      : [bind("menu", "prefix", menuKey, menu.flatMap((words) => [";", ...words]).slice(1))]),
    ...menuKeys.map(({ key: letter, verb, does }) =>
      bind(does, menuTable, letter, ["run-shell", "-b", verbLine(bin, verb)]),
    ),
    ["set-option", "-g", "@bottle_bound", bound.join(",")],
  ]
}

/** A `;` that is a word of its own separates the commands of one binding. */
function bind(does: string, table: string, key: string, command: readonly string[]): string[] {
  return ["bind-key", "-N", `bottle: ${does}`, "-T", table, key, ...command]
}

/** On a bottle's pane the menu, anywhere else the start. */
function keyCommand(menu: readonly (readonly string[])[], bin: string): string[] {
  const asText = menu.map((words) => words.map(quoteConfig).join(" ")).join(" ; ")
  return ["if-shell", "-F", "#{@bottle_slug}", asText, `run-shell -b ${quoteConfig(verbLine(bin, "start"))}`]
}

/**
 * For `run-shell -b`: without `-b` the client takes no keys meanwhile. Ids go through the command line and nothing
 * else: a pane's path and title are whatever runs in it says.
 */
function verbLine(bin: string, verb: MenuVerb): string {
  return `${quoteShell(bin)} tmux ${verb} --pane #{q:pane_id} --client #{q:client_name}`
}
