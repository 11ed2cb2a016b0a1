import { outcomeLines } from "../../proposal-lines.ts"
import { detailRows } from "../view/detail-lines.ts"
import { modalHeight } from "./layout.ts"
import type { Detail, Effect, Event, Key, State, Step } from "./types.ts"

/** SECURITY 21: a decision counts only after so many ms without a key since it was drawn. */
export const quiet = 1_000

export function openDetail(state: State, { id, slug }: { id: string; slug: string }): Step {
  const modal: Detail = {
    kind: "detail",
    id,
    slug,
    view: undefined,
    text: undefined,
    top: 0,
    quietSince: Number.POSITIVE_INFINITY,
    armed: false,
    step: { kind: "look" },
    note: [],
    over: false,
  }
  return { state: { ...state, modal }, effects: [viewOf(modal)] }
}

/** Ask the keeper what is looked at: the agent's proposal, or the operator's text in its place. */
export function viewOf({ slug, id, text }: Detail): Effect {
  return { kind: "view", slug, id, ...(text === undefined ? {} : { text }) }
}

/** The keeper's answer. What is not as it was shown has to be looked at again. */
export function takeViewed(state: State, event: Extract<Event, { kind: "viewed" }>): Step {
  const { modal } = state
  if (modal?.kind !== "detail" || modal.id !== event.id || modal.over) return { state, effects: [] }
  if ("outcome" in event.seen) {
    const note = outcomeLines(event.seen.outcome, modal.id, modal.slug)
    return put(state, { ...modal, note, over: true, step: { kind: "look" } })
  }
  // One that is about another text was asked for before this one was written.
  if (event.text !== modal.text) return { state, effects: [] }
  const { view } = event.seen
  if (modal.view === undefined) return put(state, { ...modal, view, quietSince: event.at, armed: false })
  if (modal.view.shown === view.shown) return put(state, { ...modal, view })
  const note = ["! it has changed since you looked: read it again, then decide"]
  const step = modal.step.kind === "deciding" ? modal.step : { kind: "look" as const }
  return put(state, { ...modal, view, note, step, quietSince: event.at, armed: false })
}

/** What became of the decision, said where it was made. */
export function takeDecided(state: State, event: Extract<Event, { kind: "decided" }>): Step {
  const { outcome, lines } = event
  const done = outcome.kind === "done"
  const reversible = done && outcome.applied.diff !== "" && outcome.status !== "rejected" && outcome.status !== "undone"
  const { modal } = state
  const slug = modal?.kind === "detail" && modal.id === event.id ? modal.slug : undefined
  const last = reversible && slug !== undefined ? { slug, seq: outcome.seq } : state.last
  if (modal?.kind !== "detail" || modal.id !== event.id) {
    return { state: { ...state, last, said: lines[0] }, effects: [] }
  }
  if (done) return { state: { ...state, last, modal: undefined, said: lines[0] }, effects: [] }
  const over = outcome.kind === "taken" || outcome.kind === "unknown"
  const next: Detail = { ...modal, note: lines, over, step: { kind: "look" }, quietSince: event.at, armed: false }
  const effects: Effect[] = over ? [] : [viewOf(modal)]
  return put(state, next, effects)
}

export function takeEdited(state: State, { id, text, at }: Extract<Event, { kind: "edited" }>): Step {
  const { modal } = state
  if (modal?.kind !== "detail" || modal.id !== id || modal.view === undefined) return { state, effects: [] }
  const base = { ...modal, quietSince: at, armed: false, step: { kind: "look" as const } }
  if (text === undefined) return put({ ...state, said: "modify aborted: nothing was changed" }, base)
  // What it opens is asked for, and nothing is decided before that is shown in place of what the agent's would.
  const own: Detail = { ...base, text, view: undefined, top: 0 }
  return put({ ...state, said: "this is your text: a, then Enter approves it" }, own, [viewOf(own)])
}

/** Keys that decide something. The others (scroll, leave) always count. */
const deciding = new Set(["a", "m", "r"])

export function detailKey(state: State, modal: Detail, key: Key, at: number): Step {
  const said = { ...state, said: undefined }
  if (modal.step.kind === "deciding") return { state, effects: [] }
  if (modal.step.kind === "reject") return reasonKey(said, modal, modal.step.reason, key)
  const step = modal.step.kind
  const wanted = step === "approve" ? key.name === "return" || key.name === "o" : deciding.has(key.name)
  if (!wanted) {
    const waiting: Detail = { ...modal, step: { kind: "look" }, quietSince: modal.armed ? modal.quietSince : at }
    return otherKey(said, waiting, key)
  }
  const { view } = modal
  if (view === undefined || modal.over) return { state: said, effects: [] }
  const armed = modal.armed || at - modal.quietSince >= quiet
  if (!armed) {
    const text = "not counted: look first; keys count after a second without one"
    return put({ ...state, said: text }, { ...modal, quietSince: at })
  }
  return decidingKey(said, { ...modal, armed }, view, key)
}

function decidingKey(state: State, modal: Detail, view: NonNullable<Detail["view"]>, key: Key): Step {
  const { slug, id } = modal
  if (modal.step.kind === "approve") {
    const once = key.name === "o"
    const effect = { kind: "approve", slug, id, shown: view.shown, once, text: modal.text } as const
    return put(state, { ...modal, step: { kind: "deciding" }, note: [] }, [effect])
  }
  if (key.name === "r") return put(state, { ...modal, step: { kind: "reject", reason: "" } })
  if (key.name === "m") {
    const text = modal.text ?? view.proposal.proposed_file
    return put(state, modal, [{ kind: "edit-proposal", id, tool: view.proposal.tool, text }])
  }
  if (view.typeHost !== undefined) {
    const command = `bottle proposals approve ${id} --with-credential-to HOST`
    return put({ ...state, said: `it sends a credential to a new host, which you type: ${command}` }, modal)
  }
  if (view.cannot !== undefined) {
    return put({ ...state, said: "it cannot be approved as it is; m to change it, r to reject it" }, modal)
  }
  return put(state, { ...modal, step: { kind: "approve" } })
}

function otherKey(state: State, modal: Detail, key: Key): Step {
  const by = scrolled(key.name, Math.max(1, state.size.rows - 4))
  if (by !== undefined) {
    const last = Math.max(0, detailRows(state, modal).length - modalHeight(state.size))
    return put(state, { ...modal, top: Math.max(0, Math.min(modal.top + by, last)) })
  }
  if (key.name === "escape" || key.name === "q") return { state: { ...state, modal: undefined }, effects: [] }
  return put(state, modal)
}

function reasonKey(state: State, modal: Detail, reason: string, key: Key): Step {
  const { slug, id, view } = modal
  const back = { ...modal, step: { kind: "look" as const } }
  if (key.name === "escape") return put({ ...state, said: "rejection aborted" }, back)
  if (key.name === "return") {
    if (reason.trim() === "" || view === undefined) {
      return put({ ...state, said: "rejection aborted: it needs a reason, which the agent reads" }, back)
    }
    const effect = { kind: "reject", slug, id, shown: view.shown, reason: reason.trim() } as const
    return put(state, { ...modal, step: { kind: "deciding" }, note: [] }, [effect])
  }
  return put(state, { ...modal, step: { kind: "reject", reason: typed(reason, key) } })
}

/** A line of text with one more key. */
export function typed(text: string, key: Key): string {
  if (key.name === "backspace") return [...text].slice(0, -1).join("")
  return key.name === "ctrl-u" ? "" : `${text}${key.text}`.slice(0, 2_000)
}

/** How many lines a key scrolls. */
export function scrolled(name: string, page: number): number | undefined {
  const by: Readonly<Record<string, number>> = { j: 1, down: 1, k: -1, up: -1, pagedown: page, pageup: -page }
  if (name === "g" || name === "home") return -Number.MAX_SAFE_INTEGER
  if (name === "G" || name === "end") return Number.MAX_SAFE_INTEGER
  return name === "space" ? page : by[name]
}

function put(state: State, modal: Detail, effects: readonly Effect[] = []): Step {
  return { state: { ...state, modal }, effects }
}
