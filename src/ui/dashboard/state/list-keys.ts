import { openDetail } from "./detail.ts"
import { clamp, paneHeights, settled } from "./layout.ts"
import { idsOf, selectedAgent, selectedProposal, shownAgents } from "./rows.ts"
import type { Effect, Key, PaneName, State, Step } from "./types.ts"

/** A key while the two panes have it. */
export function listKey(before: State, key: Key): Step {
  const state: State = { ...before, said: undefined }
  const moved = move(state, key.name)
  if (moved !== undefined) return { state: moved, effects: [] }
  switch (key.name) {
    case "tab":
      return stay({ ...state, focus: state.focus === "proposals" ? "agents" : "proposals" })
    case "escape":
      return state.filter === "" ? act(state, { kind: "quit" }) : stay(settled({ ...state, filter: "" }, state))
    case "q":
    case "ctrl-c":
      return act(state, { kind: "quit" })
    case "?":
      return stay({ ...state, modal: { kind: "help", top: 0 } })
    case "/":
      return stay({ ...state, modal: { kind: "filter" } })
    case "n":
      return act(state, { kind: "start" })
    case "u":
      return undoKey(state)
    case "return":
    case "v":
      return openKey(state)
    default:
      return state.focus === "proposals" ? proposalKey(state, key.name) : agentKey(state, key.name)
  }
}

function openKey(state: State): Step {
  if (state.focus === "proposals") return proposalKey(state, "v")
  const agent = selectedAgent(state)
  return agent === undefined
    ? say(state, "no agent runs: n starts one")
    : act(state, { kind: "attach", slug: agent.slug })
}

function proposalKey(state: State, name: string): Step {
  if (/^[epx]$/.test(name)) return say(state, `${name} acts on an agent: Tab goes to the agents`)
  if (name === "l") return say(state, "l shows an agent's logs: Tab goes to the agents")
  if (!/^[amrv]$/.test(name)) return stay(state)
  const proposal = selectedProposal(state)
  if (proposal === undefined) return say(state, "nothing is asked")
  const opened = openDetail(state, { id: proposal.id, slug: proposal.bottle_slug })
  if (name === "v") return opened
  const said = { a: "a, then Enter approves", m: "m opens it in your editor", r: "r rejects it" }[name] ?? ""
  return { ...opened, state: { ...opened.state, said: `read it; then ${said}` } }
}

function agentKey(state: State, name: string): Step {
  if (/^[amr]$/.test(name)) return say(state, `${name} acts on a proposal: Tab goes to the proposals`)
  if (!/^[epxl]$/.test(name)) return stay(state)
  const agent = selectedAgent(state)
  if (agent === undefined) return say(state, "no agent runs: n starts one")
  const { slug } = agent
  if (name === "x") return stay({ ...state, modal: { kind: "stop", slug } })
  if (name === "l") {
    const modal = { kind: "logs", slug, lines: [], top: 0, follow: true } as const
    return act({ ...state, modal }, { kind: "logs", slug })
  }
  if (agent.state === "starting") return say(state, `${slug} is starting: it has no policy to edit yet`)
  return act(state, { kind: "edit-policy", slug, what: name === "e" ? "routes" : "allowlist" })
}

/** In the agents pane the newest approval of that bottle, else the one made last from here. */
function undoKey(state: State): Step {
  const slug =
    state.focus === "agents" ? selectedAgent(state)?.slug : (state.last?.slug ?? selectedProposal(state)?.bottle_slug)
  return slug === undefined ? say(state, "nothing to take back") : act(state, { kind: "find-undo", slug })
}

/** Which bottle comes after this one on the right when it stops. */
export function nextAgent(state: State, slug: string): string | undefined {
  const slugs = shownAgents(state).map((agent) => agent.slug)
  const at = slugs.indexOf(slug)
  return slugs[at + 1] ?? slugs[at - 1]
}

function move(state: State, name: string): State | undefined {
  const ids = idsOf(state, state.focus)
  const pane = paneOf(state, state.focus)
  const at = pane.selected === undefined ? 0 : ids.indexOf(pane.selected)
  const page = paneHeights(state)[state.focus]
  const to = { j: at + 1, down: at + 1, k: at - 1, up: at - 1, g: 0, home: 0, G: ids.length, end: ids.length }[name]
  const target = to ?? { pagedown: at + page, pageup: at - page }[name]
  if (target === undefined) return undefined
  const selected = ids[clamp(target, 0, Math.max(0, ids.length - 1))]
  const next = { ...pane, selected }
  return settled({ ...state, ...(state.focus === "proposals" ? { proposalsPane: next } : { agentsPane: next }) }, state)
}

function paneOf(state: State, name: PaneName) {
  return name === "proposals" ? state.proposalsPane : state.agentsPane
}

const stay = (state: State): Step => ({ state, effects: [] })
const say = (state: State, said: string): Step => ({ state: { ...state, said }, effects: [] })
const act = (state: State, ...effects: Effect[]): Step => ({ state, effects })
