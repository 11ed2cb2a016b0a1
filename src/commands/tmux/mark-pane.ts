import { countOpen, isDegraded } from "../../bottle/proposals/tally.ts"
import { StateDir } from "../../bottle/state.ts"
import { paneState } from "../../tmux/badge.ts"
import { tagPane, untagPane } from "../../tmux/panes.ts"
import { openTmux } from "../../tmux/tmux.ts"
import type { Shell } from "../_shell.ts"

/** Tag the pane that this runs in as the bottle's; returns how to take the tag off. A tmux that fails changes nothing. */
export async function markPane(
  slug: string,
  { socket, pane }: { socket: string; pane: string },
  shell: Shell,
): Promise<() => Promise<unknown>> {
  const tmux = openTmux(socket, shell.env)
  const color = new StateDir(shell.paths.state(slug)).metadata()?.color ?? undefined
  const state = paneState({ asks: countOpen(shell.paths, slug) > 0, degraded: isDegraded(shell.paths, slug) })
  await tagPane(tmux, pane, { slug, color, state })
  return () => untagPane(tmux, pane)
}
