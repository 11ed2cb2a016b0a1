import { viewOf } from "./detail.ts"
import { settled } from "./layout.ts"
import type { Effect, Event, State, Step } from "./types.ts"

/** How long a row is shown as new, in ms. */
const freshFor = 5_000

/** The list of open proposals as it is now. Those that came ring and take the cursor; the first list rings nothing. */
export function takeProposals(state: State, { list, at }: Extract<Event, { kind: "proposals" }>): Step {
  const known = new Set(state.proposals.map(({ id }) => id))
  const came = state.filled ? list.filter(({ id }) => !known.has(id)) : []
  const [first] = came
  const fresh = new Map([...state.fresh].filter(([, until]) => until > at))
  for (const { id } of came) fresh.set(id, at + freshFor)
  const moves = first !== undefined && state.modal === undefined
  const next: State = {
    ...state,
    proposals: list,
    filled: true,
    fresh,
    ...(moves ? { focus: "proposals" as const, proposalsPane: { ...state.proposalsPane, selected: first.id } } : {}),
  }
  const effects: Effect[] = first === undefined ? [] : [{ kind: "ring" }]
  const { modal } = state
  // What is looked at may have moved, or been decided elsewhere: its keeper says.
  if (modal?.kind === "detail" && !modal.over) effects.push(viewOf(modal))
  return { state: settled(next, state), effects }
}

export function takeAgents(state: State, { list }: Extract<Event, { kind: "agents" }>): Step {
  return { state: settled({ ...state, agents: list }, state), effects: [] }
}

/** Rows grow old. */
export function takeTick(state: State, at: number): Step {
  const fresh = new Map([...state.fresh].filter(([, until]) => until > at))
  return { state: fresh.size === state.fresh.size ? state : { ...state, fresh }, effects: [] }
}
