import type { Tmux } from "./tmux.ts"

/** One pane that shows a bottle, found by its tag and never by memory. */
export interface BottlePane {
  /** `%3`. */
  id: string
  slug: string
  /** `/dev/pts/4`. */
  tty: string
  window: string
  session: string
}

/** Colours that tmux' styles know by the names that we use (16 ANSI names). */
const styleNames: Readonly<Record<string, string>> = {
  gray: "brightblack",
  redBright: "brightred",
  greenBright: "brightgreen",
  yellowBright: "brightyellow",
  blueBright: "brightblue",
  magentaBright: "brightmagenta",
  cyanBright: "brightcyan",
  whiteBright: "brightwhite",
}

/** A format that needs no text of anybody's: what varies stands in options of the pane, which are shown as they are. */
const borderFormat = "#{?@bottle_slug, #{@bottle_style}#{@bottle_slug}#[default] #{@bottle_state} ,#{pane_title}}"

/**
 * Mark a pane as a bottle's: its tag survives `break-pane` and `respawn-pane`. Only a slug and words of ours are put
 * there, since styles in an option's value would be applied.
 */
export function tagPane(
  tmux: Tmux,
  pane: string,
  { slug, color, state }: { slug: string; color: string | undefined; state: string },
) {
  const style = color === undefined ? "" : `#[fg=${styleNames[color] ?? color}]`
  const set = (name: string, value: string) => ["set-option", "-p", "-t", pane, name, value]
  return tmux.run(
    set("@bottle_slug", slug),
    set("@bottle_state", state),
    set("@bottle_style", style),
    set("pane-border-format", borderFormat),
  )
}

/** Take the tag off again: the pane is a shell's. */
export function untagPane(tmux: Tmux, pane: string) {
  const unset = (name: string) => ["set-option", "-p", "-u", "-t", pane, name]
  return tmux.run(...["@bottle_slug", "@bottle_state", "@bottle_style", "pane-border-format"].map(unset))
}

/** The panes of a server that show bottles. */
export async function findPanes(tmux: Tmux): Promise<BottlePane[]> {
  // A printable separator: a tab becomes `_` in a C locale. None of these fields can hold it.
  const fields = ["pane_id", "@bottle_slug", "pane_tty", "window_id", "session_id"].map((name) => `#{${name}}`)
  const listed = await tmux.run(["list-panes", "-a", "-f", "#{@bottle_slug}", "-F", fields.join("|")])
  if (!listed.ok) return []
  return listed.text.split("\n").flatMap((line) => {
    const [id = "", slug = "", tty = "", window = "", session = ""] = line.split("|")
    return id === "" ? [] : [{ id, slug, tty, window, session }]
  })
}

/** Say that a pane shows the dashboard, or no more. */
export function tagDashboard(tmux: Tmux, pane: string, here: boolean) {
  return tmux.run([
    "set-option",
    "-p",
    ...(here ? [] : ["-u"]),
    "-t",
    pane,
    "@bottle_dashboard",
    ...(here ? ["1"] : []),
  ])
}

/** The pane that shows the dashboard, where there is one. */
export async function findDashboard(tmux: Tmux): Promise<Pick<BottlePane, "id" | "window"> | undefined> {
  const listed = await tmux.run(["list-panes", "-a", "-f", "#{@bottle_dashboard}", "-F", "#{pane_id}|#{window_id}"])
  const [id = "", window = ""] = listed.ok ? (listed.text.split("\n")[0] ?? "").split("|") : []
  return id === "" ? undefined : { id, window }
}
