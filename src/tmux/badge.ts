import type { Servers } from "./servers.ts"
import { isGone, type Tmux } from "./tmux.ts"

/** What the status line tells of all bottles. */
export interface BadgeCounts {
  /** Open proposals. */
  pending: number
  /** Bottles with a sidecar down. */
  degraded: number
}

/** One bottle whose panes shall say how it is. */
export interface PaneState {
  slug: string
  /** Our own words: an option's value may carry styles. */
  state: string
}

/** Numbers and our own words alone: what stands in an option's value may carry styles. "" when all is well. */
export function badgeText({ pending, degraded }: BadgeCounts): string {
  const parts = [
    ...(pending === 0 ? [] : [`${pending} ${pending === 1 ? "asks" : "ask"}`]),
    ...(degraded === 0 ? [] : [`${degraded} degraded`]),
  ]
  return parts.length === 0 ? "" : `#[reverse] bottle: ${parts.join(", ")} #[noreverse]`
}

/** What the border of an agent's pane says beside its slug. */
export function paneState({ asks, degraded }: { asks: boolean; degraded: boolean }): string {
  if (!asks && !degraded) return "running"
  return [...(asks ? ["asks"] : []), ...(degraded ? ["degraded"] : [])].join(", ")
}

/**
 * Put the badge into every server's `@bottle_status`, which redraws the status line at once (measured on 3.3a, also at
 * `status-interval 0`), and a bottle's state on its panes. A server that is gone is forgotten. Never rejects.
 */
export async function pushBadge(
  servers: Servers,
  open: (socket: string) => Tmux,
  counts: BadgeCounts,
  own?: PaneState,
): Promise<void> {
  const push = async (socket: string) => {
    const tmux = open(socket)
    const pushed = await tmux.run(...badgeCommands(counts), ...(own === undefined ? [] : [listStates(own.slug)]))
    if (isGone(pushed)) servers.forget(socket)
    if (!pushed.ok || own === undefined) return
    const stale = pushed.text.split("\n").flatMap((line) => {
      const [pane = "", ...state] = line.split(" ")
      return pane === "" || state.join(" ") === own.state ? [] : [pane]
    })
    // One call each: a pane that has just gone takes nothing from the others.
    await Promise.all(stale.map((pane) => tmux.run(["set-option", "-p", "-t", pane, "@bottle_state", own.state])))
  }
  await Promise.all(servers.list().map((socket) => push(socket).catch(() => undefined)))
}

function badgeCommands(counts: BadgeCounts): string[][] {
  const set = (name: string, value: string) => ["set-option", "-g", name, value]
  return [
    set("@bottle_status", badgeText(counts)),
    set("@bottle_pending", String(counts.pending)),
    set("@bottle_degraded", String(counts.degraded)),
  ]
}

/** A slug holds nothing that a format would read. */
const listStates = (slug: string) => [
  "list-panes",
  "-a",
  "-f",
  `#{==:#{@bottle_slug},${slug}}`,
  "-F",
  "#{pane_id} #{@bottle_state}",
]
