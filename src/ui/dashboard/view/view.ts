import { safeText } from "../../safe-text.ts"
import { paneHeights } from "../state/layout.ts"
import { isActive, selectedAgent, selectedProposal, shownAgents, shownProposals } from "../state/rows.ts"
import type { PaneName, State } from "../state/types.ts"
import { agentRows } from "./agents.ts"
import { clip, columns, type Row, span } from "./cells.ts"
import { modalView, question } from "./modals.ts"
import { proposalRows } from "./proposals.ts"

/** What the screen shows of a state: exactly as many rows as it has, none wider than it is. Pure. */
export function view(state: State, now: Date): Row[] {
  const { cols, rows } = state.size
  const modal = modalView(state)
  const body = modal === undefined ? panes(state, now) : [[span(modal.title, "title")], ...modal.rows]
  const keys = modal?.keys ?? "Tab pane  Enter open  a m r decide  e p x l agent  n new  / find  ? help  q quit"
  const room = Math.max(0, rows - 3)
  const filled = [...body.slice(0, room + 1), ...Array.from({ length: Math.max(0, room + 1 - body.length) }, () => [])]
  const shown = modal === undefined ? [header(state), ...filled.slice(0, room)] : filled
  return [...shown, [span(keys, "dim")], status(state)].slice(0, rows).map((row) => clip(row, cols))
}

function header(state: State): Row {
  const active = state.agents.filter(isActive)
  const degraded = active.filter((agent) => agent.degraded).length
  const resting = state.agents.length - active.length
  const asks = state.proposals.length
  return [
    span("bottle  ", "title"),
    span(asks === 0 ? "nothing asked" : `${asks} ${asks === 1 ? "asks" : "ask"}`, asks === 0 ? "dim" : "warn"),
    span(`  ${active.length} running`, "plain"),
    ...(degraded === 0 ? [] : [span(`  ${degraded} degraded`, "bad")]),
    ...(resting === 0 ? [] : [span(`  ${resting} kept (bottle list)`, "dim")]),
    ...(state.filter === "" ? [] : [span(`  filter: ${safeText(state.filter, 40)}`, "warn")]),
  ]
}

function panes(state: State, now: Date): Row[] {
  const heights = paneHeights(state)
  const fill = (rows: readonly Row[], height: number) => [
    ...rows,
    ...Array.from({ length: Math.max(0, height - rows.length) }, () => [] as Row),
  ]
  return [
    title(state, "proposals", shownProposals(state).length),
    ...fill(proposalRows(state, heights.proposals, now), heights.proposals),
    title(state, "agents", shownAgents(state).length),
    ...fill(agentRows(state, heights.agents, now), heights.agents),
  ]
}

function title(state: State, pane: PaneName, count: number): Row {
  const focused = state.focus === pane
  const words = `── ${pane === "proposals" ? "PROPOSALS" : "AGENTS"} ${count}${focused ? " (focused)" : ""} `
  return [span(words + "─".repeat(Math.max(0, state.size.cols - columns(words))), focused ? "title" : "dim")]
}

function status(state: State): Row {
  if (state.modal?.kind === "filter")
    return [span(`/${safeText(state.filter, 200)}_  Enter keeps it, Esc shows all`, "bar")]
  const asked = question(state.modal)
  if (asked !== undefined) return [span(tail(asked, state.size.cols), "bar")]
  if (state.said !== undefined) return [span(safeText(state.said, 1_000), "bar")]
  if (state.busy !== undefined) return [span(safeText(state.busy, 1_000), "warn")]
  return [span(state.modal === undefined ? idle(state) : "", "dim")]
}

/** What the keys would act on. */
function idle(state: State): string {
  if (state.focus === "proposals") {
    const proposal = selectedProposal(state)
    return proposal === undefined
      ? "no proposal: Tab goes to the agents"
      : `a, m, r act on ${proposal.id} of ${proposal.bottle_slug}`
  }
  const agent = selectedAgent(state)
  return agent === undefined ? "no agent: n starts one" : `e, p, x, l act on ${agent.slug}`
}

/** The end of a text that is typed, where the typing goes on. */
function tail(text: string, most: number): string {
  const characters = [...text]
  while (columns(characters.join("")) > most) characters.splice(0, Math.max(1, characters.length - most))
  return characters.join("")
}
