import type { ActiveBottle } from "../../../bottle/registry.ts"
import type { Proposal } from "../../../proposals/types.ts"
import { aboutWhat } from "../../proposal-lines.ts"
import type { PaneName, State } from "./types.ts"

/** Those that run or shall: what is kept at rest is no agent at work. */
export function isActive({ state }: ActiveBottle): boolean {
  return state !== "stopped" && state !== "frozen" && state !== "closed"
}

export function shownProposals({ proposals, filter }: State): readonly Proposal[] {
  if (filter === "") return proposals
  return proposals.filter((one) =>
    holds(filter, [one.bottle_slug, one.tool, one.id, aboutWhat(one), one.justification]),
  )
}

export function shownAgents({ agents, filter }: State): readonly ActiveBottle[] {
  const active = agents.filter(isActive)
  if (filter === "") return active
  return active.filter((one) => holds(filter, [one.slug, one.agent, one.label, one.backend, one.state]))
}

function holds(filter: string, texts: readonly string[]): boolean {
  const wanted = filter.toLowerCase()
  return texts.some((text) => text.toLowerCase().includes(wanted))
}

/** Ids of a pane's rows, as shown. */
export function idsOf(state: State, pane: PaneName): readonly string[] {
  return pane === "proposals" ? shownProposals(state).map(({ id }) => id) : shownAgents(state).map(({ slug }) => slug)
}

export function selectedProposal(state: State): Proposal | undefined {
  return state.proposals.find(({ id }) => id === state.proposalsPane.selected)
}

export function selectedAgent(state: State): ActiveBottle | undefined {
  return state.agents.find(({ slug }) => slug === state.agentsPane.selected)
}
