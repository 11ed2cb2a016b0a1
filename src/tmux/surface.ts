import { formatPath, formatText } from "./escape.ts"
import type { TmuxOptions } from "./options.ts"
import type { Tmux, TmuxAnswer } from "./tmux.ts"
import type { TmuxAbilities } from "./version.ts"

export type SurfaceKind = Exclude<TmuxOptions["surface"], "auto">

export interface SurfaceWish {
  /** Name of the client that shall show it, such as `/dev/pts/3`. */
  client: string | undefined
  /** Pane beside which a split opens. */
  pane: string | undefined
  /** At least two words: tmux runs several without a shell and without expanding anything. */
  argv: readonly [string, string, ...string[]]
  cwd: string
  /** Our own words only. */
  title: string
}

/** The surface that this tmux can show and the operator wants; a missing one degrades, and `instead` says so. */
export function chooseSurface(
  wanted: TmuxOptions["surface"],
  abilities: TmuxAbilities,
): { kind: SurfaceKind; instead?: string } {
  if (wanted === "auto") return { kind: abilities.floatingPanes ? "float" : "popup" }
  if (wanted === "float" && !abilities.floatingPanes) {
    return { kind: "popup", instead: `tmux ${abilities.version} has no floating panes: a popup is used` }
  }
  return { kind: wanted }
}

/**
 * Open a surface with a program in it. A popup's answer comes when it has closed, or late: the popup stays open without
 * whoever asked for it (measured on 3.3a). The others' come at once. `ok` does not mean that it was shown: a client
 * that shows a popup already drops the second one without a word.
 */
export async function openSurface(
  tmux: Tmux,
  kind: SurfaceKind,
  { popupWidth, popupHeight }: Pick<TmuxOptions, "popupWidth" | "popupHeight">,
  abilities: TmuxAbilities,
  wish: SurfaceWish,
): Promise<TmuxAnswer> {
  const on = wish.client === undefined ? [] : ["-c", wish.client]
  const cwd = formatPath(wish.cwd)
  const beside = wish.pane === undefined ? [] : ["-t", wish.pane]
  switch (kind) {
    case "popup": {
      const title = abilities.popupTitle ? ["-T", ` ${formatText(wish.title, 60)} `] : []
      const size = ["-w", popupWidth, "-h", popupHeight]
      return tmux.run(["display-popup", "-E", ...on, ...size, ...title, "-d", cwd, ...wish.argv])
    }
    case "float": {
      const size = ["-x", popupWidth, "-y", popupHeight]
      return openPane(tmux, ["new-pane", ...beside, ...size, "-c", cwd], wish.argv)
    }
    case "split":
      return openPane(tmux, ["split-window", "-v", ...beside, "-l", popupHeight, "-c", cwd], wish.argv)
    case "window":
      return openPane(tmux, ["new-window", "-n", "bottle", "-c", cwd], wish.argv)
  }
}

/** A pane goes with its program, also where the operator's own panes remain. */
async function openPane(tmux: Tmux, command: readonly string[], argv: readonly string[]): Promise<TmuxAnswer> {
  const opened = await tmux.run([...command, "-P", "-F", "#{pane_id}", ...argv])
  if (opened.ok) await tmux.run(["set-option", "-p", "-t", opened.text.trim(), "remain-on-exit", "off"])
  return opened
}
