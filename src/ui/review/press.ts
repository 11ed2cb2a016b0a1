import { bodyRows } from "./draw.ts"
import type { Key } from "./keys.ts"
import { type Effect, type Mode, type Review, type Shown, type Step, scopesOf } from "./model.ts"
import { proposalPage } from "./page.ts"
import { turnTo } from "./turn.ts"

/** Longest line that is typed, in characters: what an agent is told, or a host. */
const mostTyped = 500

/** What a key does that counts. */
export function pressKey(review: Review, key: Key): Step {
  const { mode } = review
  if (mode.kind === "busy") return stay(review)
  if (key === "ctrl-c" || key === "ctrl-d") return leave(review)
  if (mode.kind === "help") return stay({ ...review, mode: look })
  if (mode.kind === "reason" || mode.kind === "host") return type(review, mode, key)
  if (review.open.length === 0) return leave(review)
  if (mode.kind === "scope" && review.shown !== undefined) return chooseScope(review, review.shown, mode.choice, key)
  return command(review, key)
}

const look: Mode = { kind: "look" }
const stay = (review: Review, ...effects: Effect[]): Step => ({ review, effects })
const leave = (review: Review): Step => stay(review, { kind: "leave" })
const say = (review: Review, line: string): Step => stay({ ...review, message: { lines: [line], tone: "bad" } })

function command(before: Review, key: Key): Step {
  const review = { ...before, message: undefined }
  const { shown } = review
  const scrolled = scrollBy(review, key)
  if (scrolled !== undefined) return stay({ ...review, scroll: Math.max(0, review.scroll + scrolled) })
  switch (key) {
    case "q":
    case "escape":
      return leave(review)
    case "?":
      return stay({ ...review, mode: { kind: "help" } })
    case "n":
    case "tab":
    case "right":
      return turn(review, 1)
    case "p":
    case "left":
      return turn(review, -1)
    case "l":
      return later(review)
  }
  if (shown === undefined) return stay(before)
  switch (key) {
    case "a":
      return beginApproval(review, shown)
    case "m":
      return stay({ ...review, mode: { kind: "busy", words: "in your editor" } }, { kind: "edit", shown })
    case "r":
      return stay({ ...review, mode: { kind: "reason", text: "" } })
  }
  return stay(before)
}

function scrollBy(review: Review, key: Key): number | undefined {
  const page = Math.max(1, bodyRows(review) - 1)
  const steps: Readonly<Record<string, number>> = {
    ...{ j: 1, down: 1, k: -1, up: -1, " ": page, pagedown: page, pageup: -page, b: -page },
    ...{ g: -1e6, home: -1e6, G: 1e6, end: 1e6 },
  }
  return Object.hasOwn(steps, key) ? steps[key] : undefined
}

function turn(review: Review, by: number): Step {
  const { open, at } = review
  const index = open.findIndex(({ id }) => id === at)
  const to = open[(index + by + open.length) % open.length]
  return to === undefined || to.id === at ? say(review, "there is no other one") : turnTo(review, to.id)
}

/** The next that was not put off; with none left there is nothing more to do here. */
function later(review: Review): Step {
  const { open, at } = review
  const put = new Set(at === undefined ? review.later : [...review.later, at])
  const index = open.findIndex(({ id }) => id === at)
  const rest = [...open.slice(index + 1), ...open.slice(0, index + 1)].find(({ id }) => !put.has(id))
  const next = { ...review, later: put }
  return rest === undefined ? leave(next) : turnTo(next, rest.id)
}

/** The first of two keys. What matters must have been on the screen. */
function beginApproval(review: Review, shown: Shown): Step {
  // What the operator's own text opens is still being computed.
  if (shown.of !== shown.text) return { review, effects: [] }
  const { view, text } = shown
  if (view.cannot !== undefined && view.typeHost === undefined && text === undefined) {
    return say(review, "it cannot be approved as it is: m edits it, r rejects it")
  }
  if (review.seen < proposalPage(shown, review.size.columns).must) {
    return say(review, "there is more to see before you approve: space shows it")
  }
  return stay({ ...review, mode: { kind: "scope", choice: 0 } })
}

function chooseScope(review: Review, shown: Shown, choice: number, key: Key): Step {
  const choices = scopesOf(shown.view.proposal)
  const scrolled = scrollBy(review, key)
  if (scrolled !== undefined) return stay({ ...review, scroll: Math.max(0, review.scroll + scrolled) })
  if (key === "escape" || key === "q") return stay({ ...review, mode: look, message: undefined })
  if (key === "enter") return finishApproval(review, shown, choice)
  const step = key === "right" || key === "tab" ? 1 : key === "left" ? -1 : 0
  const named = choices.findIndex((one) => one.key === key)
  const next = named !== -1 ? named : (choice + step + choices.length) % choices.length
  if (next === choice) return stay(review)
  const chosen = { ...review, mode: { kind: "scope" as const, choice: next }, message: undefined }
  if (choices[next]?.scope.kind !== "save") return stay(chosen)
  return stay(chosen, { kind: "load", id: shown.view.proposal.id, save: true, ...ownText(shown) })
}

function finishApproval(review: Review, shown: Shown, choice: number): Step {
  const { view, text } = shown
  const scope = scopesOf(view.proposal)[choice]?.scope
  if (scope === undefined) return stay(review)
  if (scope.kind === "save") {
    if (text === undefined && view.save === undefined) return say(review, "what it writes is not read yet")
    if (view.save !== undefined && "cannot" in view.save) return say(review, "it cannot be saved: choose another time")
    if (review.seen < proposalPage(shown, review.size.columns).must) {
      return say(review, "there is more to see before you approve: space shows it")
    }
  }
  if (view.typeHost !== undefined && text === undefined) {
    return stay({ ...review, mode: { kind: "host", scope, text: "" }, message: undefined })
  }
  return approve(review, { kind: "approve", shown, scope })
}

const approve = (review: Review, effect: Extract<Effect, { kind: "approve" }>): Step =>
  stay({ ...review, mode: { kind: "busy", words: "putting it in force" }, message: undefined }, effect)

function type(review: Review, mode: Extract<Mode, { kind: "reason" | "host" }>, key: Key): Step {
  const { shown } = review
  if (key === "escape" || shown === undefined) return stay({ ...review, mode: look })
  if (key === "backspace") return stay({ ...review, mode: { ...mode, text: [...mode.text].slice(0, -1).join("") } })
  if (key === "ctrl-u") return stay({ ...review, mode: { ...mode, text: "" } })
  if (key === "enter") {
    const text = mode.text.trim()
    if (mode.kind === "host") {
      if (text === "") return stay({ ...review, mode: look })
      return approve(review, { kind: "approve", shown, scope: mode.scope, typedHost: text })
    }
    if (text === "") {
      return stay({ ...review, mode: look, message: { lines: ["not rejected: no reason was given"], tone: "plain" } })
    }
    const busy: Mode = { kind: "busy", words: "telling the agent" }
    return stay({ ...review, mode: busy, message: undefined }, { kind: "reject", shown, reason: text })
  }
  if ([...key].length !== 1 || mode.text.length >= mostTyped) return stay(review)
  return stay({ ...review, mode: { ...mode, text: mode.text + key } })
}

const ownText = ({ text }: Shown): { text?: string } => (text === undefined ? {} : { text })
