import type { ActiveBottle } from "../../../bottle/registry.ts"
import { shownAgents } from "../state/rows.ts"
import type { State } from "../state/types.ts"
import { field, type Row, span } from "./cells.ts"

/** The rows of active agents that are in sight. */
export function agentRows(state: State, height: number, now: Date): Row[] {
  const agents = shownAgents(state)
  if (agents.length === 0) return [[span(emptyWords(state), "dim")]]
  const focused = state.focus === "agents"
  const { top, selected } = state.agentsPane
  const wide = Math.min(40, Math.max(...agents.map(({ slug }) => slug.length)))
  return agents.slice(top, top + height).map((agent) => {
    const here = agent.slug === selected
    const look = here && focused ? "bold" : "plain"
    return [
      span(here && focused ? "> " : "  ", "bold"),
      span(agent.slug === state.beside ? "* " : "  ", "good"),
      span(`${field(agent.slug, wide)} `, look),
      span(`${field(agent.agent, 14)} `, look),
      span(`${field(agent.backend, 9)} `, "dim"),
      span(`${dayOrTime(agent.startedAt, now)} `, "dim"),
      ...stateSpans(agent),
      span(sidecarWords(agent), agent.degraded ? "bad" : "dim"),
    ]
  })
}

function emptyWords({ filter }: State): string {
  return filter === "" ? "  no agent runs; n starts one" : "  no agent matches the filter; Esc clears it"
}

function stateSpans({ state, degraded }: ActiveBottle) {
  if (state === "starting") return [span("(starting) ", "warn")]
  if (degraded) return [span("(degraded) ", "bad")]
  if (state === "?") return [span("(no answer) ", "warn")]
  return state === "running" ? [] : [span(`(${state}) `, "dim")]
}

/** Those that run by name; one that does not says how it is. */
function sidecarWords({ sidecars }: ActiveBottle): string {
  return sidecars.map(({ name, state }) => (state === "up" ? field(name, name.length) : `${name}:${state}`)).join(" ")
}

/** Hour and minute here; of another day month and day. Always five columns, so that what stands behind it keeps its place. */
export function dayOrTime(iso: string, now: Date): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return "?    "
  const two = (value: number) => String(value).padStart(2, "0")
  if (date.toDateString() === now.toDateString()) return `${two(date.getHours())}:${two(date.getMinutes())}`
  return `${two(date.getMonth() + 1)}-${two(date.getDate())}`
}
