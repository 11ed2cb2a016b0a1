import { aboutWhat } from "../../proposal-lines.ts"
import { shownProposals } from "../state/rows.ts"
import type { State } from "../state/types.ts"
import { dayOrTime } from "./agents.ts"
import { field, type Row, span } from "./cells.ts"

/** The rows of open proposals that are in sight, oldest first. */
export function proposalRows(state: State, height: number, now: Date): Row[] {
  const proposals = shownProposals(state)
  if (proposals.length === 0) return [[span(emptyWords(state), "dim")]]
  const focused = state.focus === "proposals"
  const { top, selected } = state.proposalsPane
  const wide = Math.min(40, Math.max(...proposals.map(({ bottle_slug }) => bottle_slug.length)))
  return proposals.slice(top, top + height).map((proposal) => {
    const here = proposal.id === selected
    const fresh = state.fresh.has(proposal.id)
    const look = fresh ? "new" : here && focused ? "bold" : "plain"
    return [
      span(here && focused ? "> " : "  ", "bold"),
      span(`${dayOrTime(proposal.arrival_timestamp, now)} `, fresh ? "new" : "dim"),
      span(`${field(proposal.bottle_slug, wide)} `, look),
      span(`${field(toolWords[proposal.tool], 9)} `, look),
      ...(fresh ? [span("(new!) ", "new")] : []),
      span(`${field(aboutWhat(proposal), 30)} `, look),
      span(field(proposal.justification, 200).trimEnd(), "dim"),
    ]
  })
}

/** Short names, which fit a list; the detail view has the tools' own. */
const toolWords = { "egress-block": "route", "pipelock-block": "allowlist", "capability-block": "image" } as const

function emptyWords({ filter, filled }: State): string {
  if (!filled) return "  looking for proposals"
  return filter === ""
    ? "  nothing is asked; what agents ask for appears here"
    : "  no proposal matches the filter; Esc clears it"
}
