import { idsOf } from "./rows.ts"
import type { Pane, PaneName, Size, State } from "./types.ts"

/** Lines that are neither pane's rows: header, two titles, keys, status. */
const frame = 5
const least = 1

/** How many rows each pane shows: half each, and what one does not need is the other's. */
export function paneHeights(state: State): Readonly<Record<PaneName, number>> {
  const room = Math.max(2 * least, state.size.rows - frame)
  const [needs, others] = [idsOf(state, "proposals").length, idsOf(state, "agents").length].map((n) => Math.max(3, n))
  const half = Math.ceil(room / 2)
  const wanted = Math.min(needs ?? least, half)
  const proposals = Math.max(wanted, Math.min(needs ?? least, room - (others ?? least)))
  return { proposals: clamp(proposals, least, room - least), agents: clamp(room - proposals, least, room - least) }
}

/** The same state with every cursor on a row that is there, and in sight. */
export function settled(state: State, before: State = state): State {
  const heights = paneHeights(state)
  const fit = (name: PaneName, pane: Pane, old: Pane) => {
    const ids = idsOf(state, name)
    const selected = keepSelected(pane.selected, ids, idsOf(before, name))
    const at = selected === undefined ? 0 : ids.indexOf(selected)
    const top = clamp(inSight(pane.top, at, heights[name]), 0, Math.max(0, ids.length - heights[name]))
    return selected === pane.selected && top === pane.top && pane === old ? pane : { selected, top }
  }
  return {
    ...state,
    proposalsPane: fit("proposals", state.proposalsPane, before.proposalsPane),
    agentsPane: fit("agents", state.agentsPane, before.agentsPane),
  }
}

/** A row that went leaves the cursor where it was: on the one that took its place, else on the last. */
function keepSelected(selected: string | undefined, ids: readonly string[], before: readonly string[]) {
  if (selected !== undefined && ids.includes(selected)) return selected
  const at = selected === undefined ? 0 : Math.max(0, before.indexOf(selected))
  return ids[Math.min(at, ids.length - 1)]
}

function inSight(top: number, at: number, height: number): number {
  if (at < top) return at
  return at >= top + height ? at - height + 1 : top
}

/** Lines that a modal shows at a time. */
export const modalHeight = ({ rows }: Size): number => Math.max(1, rows - 3)

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
