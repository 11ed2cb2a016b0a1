import { detailKey, scrolled, takeDecided, takeEdited, takeViewed, typed } from "./detail.ts"
import { modalHeight, settled } from "./layout.ts"
import { listKey, nextAgent } from "./list-keys.ts"
import { takeAgents, takeProposals, takeTick } from "./news.ts"
import type { Event, Key, Modal, Size, State, Step } from "./types.ts"

/** Lines of a log that are kept to scroll back in. */
const mostLogLines = 5_000

export function firstState(size: Size): State {
  return {
    proposals: [],
    agents: [],
    focus: "agents",
    proposalsPane: { selected: undefined, top: 0 },
    agentsPane: { selected: undefined, top: 0 },
    filter: "",
    said: undefined,
    modal: undefined,
    fresh: new Map(),
    filled: false,
    beside: undefined,
    last: undefined,
    busy: undefined,
    size,
  }
}

/** What the dashboard is after an event, and what is to be done about it. Pure. */
export function reduce(state: State, event: Event): Step {
  switch (event.kind) {
    case "key":
      return takeKey(state, event.key, event.at)
    case "proposals":
      return takeProposals(state, event)
    case "agents":
      return takeAgents(state, event)
    case "viewed":
      return takeViewed(state, event)
    case "unviewed":
      return takeUnviewed(state, event.id, event.why)
    case "edited":
      return takeEdited(state, event)
    case "decided":
      return takeDecided(state, event)
    case "undo":
      return stay({ ...state, modal: { kind: "undo", slug: event.slug, seq: event.seq, what: event.what } })
    case "log":
      return takeLog(state, event.slug, event.lines)
    case "beside":
      return stay(state.beside === event.slug ? state : { ...state, beside: event.slug })
    case "busy":
      return stay({ ...state, busy: event.what })
    case "say":
      return stay({ ...state, said: event.text })
    case "size":
      return stay(settled({ ...state, size: event.size }, state))
    case "tick":
      return takeTick(state, event.at)
  }
}

function takeKey(state: State, key: Key, at: number): Step {
  const { modal } = state
  if (modal === undefined) return listKey(state, key)
  if (key.name === "ctrl-c") return closed(state, modal)
  switch (modal.kind) {
    case "detail":
      return detailKey(state, modal, key, at)
    case "filter":
      return filterKey(state, key)
    case "help":
      return scrollKey(state, modal, key)
    case "logs":
      return logKey(state, modal, key)
    case "stop":
      return key.name === "y"
        ? act(state, { kind: "stop", slug: modal.slug, next: nextAgent(state, modal.slug) })
        : stay({ ...state, modal: undefined, said: `${modal.slug} goes on` })
    case "undo":
      return key.name === "y"
        ? act(state, { kind: "undo", slug: modal.slug, seq: modal.seq })
        : stay({ ...state, modal: undefined, said: "nothing was taken back" })
  }
}

function filterKey(state: State, key: Key): Step {
  if (key.name === "return") return stay({ ...state, modal: undefined })
  if (key.name === "escape") return stay(settled({ ...state, modal: undefined, filter: "" }, state))
  return stay(settled({ ...state, filter: typed(state.filter, key) }, state))
}

function scrollKey(state: State, modal: Extract<Modal, { kind: "help" }>, key: Key): Step {
  const by = scrolled(key.name, modalHeight(state.size))
  if (by === undefined) return stay({ ...state, modal: undefined })
  return stay({ ...state, modal: { ...modal, top: Math.max(0, Math.min(modal.top + by, 30)) } })
}

function logKey(state: State, modal: Extract<Modal, { kind: "logs" }>, key: Key): Step {
  if (key.name === "escape" || key.name === "q" || key.name === "l") return closed(state, modal)
  const height = modalHeight(state.size)
  const by = scrolled(key.name, height)
  if (by === undefined) return stay(state)
  const last = Math.max(0, modal.lines.length - height)
  const top = Math.max(0, Math.min((modal.follow ? last : modal.top) + by, last))
  return stay({ ...state, modal: { ...modal, top, follow: top === last } })
}

function takeLog(state: State, slug: string, lines: readonly string[]): Step {
  const { modal } = state
  if (modal?.kind !== "logs" || modal.slug !== slug) return stay(state)
  return stay({ ...state, modal: { ...modal, lines: [...modal.lines, ...lines].slice(-mostLogLines) } })
}

function takeUnviewed(state: State, id: string, why: string): Step {
  const { modal } = state
  if (modal?.kind !== "detail" || modal.id !== id) return stay(state)
  return stay({ ...state, modal: { ...modal, note: [why], step: { kind: "look" } } })
}

function closed(state: State, modal: Modal): Step {
  const effects = modal.kind === "logs" ? ([{ kind: "end-logs" }] as const) : []
  return { state: { ...state, modal: undefined }, effects }
}

const stay = (state: State): Step => ({ state, effects: [] })
const act = (state: State, ...effects: Step["effects"]): Step => ({ state: { ...state, modal: undefined }, effects })
