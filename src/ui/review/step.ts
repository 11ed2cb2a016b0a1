import type { ProposalView } from "../../bottle/keeper/proposals/wire.ts"
import type { Proposal } from "../../proposals/types.ts"
import { bodyRows } from "./draw.ts"
import type { Effect, Happening, Message, Review, Step } from "./model.ts"
import { proposalPage } from "./page.ts"
import { pressKey } from "./press.ts"
import { anew, turnTo } from "./turn.ts"

/**
 * What follows from what happened. Pure: nothing is written, asked or timed here. Keys that come before a second without
 * one has passed since the screen was drawn anew change nothing (SECURITY 21).
 */
export function step(review: Review, happening: Happening): Step {
  const { review: next, effects } = follow(review, happening)
  return { review: see(next), effects }
}

function follow(review: Review, happening: Happening): Step {
  switch (happening.kind) {
    case "key":
      return review.armed ? pressKey(review, happening.key) : { review, effects: [] }
    case "quiet":
      return { review: { ...review, armed: true }, effects: [] }
    case "size":
      return { review: { ...review, size: happening.size }, effects: [] }
    case "queue":
      return takeQueue(review, happening.open)
    case "view":
      return { review: takeView(review, happening), effects: [] }
    case "unreadable":
      return { review: notReadable(review, happening.id, happening.why), effects: [] }
    case "decided":
      return takeOutcome(review, happening)
    case "edited":
      return takeText(review, happening.id, happening.text)
  }
}

/** Another one came: only the count changes. The one at hand is gone: say so, and show the one that took its place. */
function takeQueue(review: Review, open: readonly Proposal[]): Step {
  const isOpen = open.some(({ id }) => id === review.at)
  const next = { ...review, open }
  if (review.at !== undefined && isOpen) {
    if (review.shown !== undefined || review.epoch > 0) return { review: next, effects: [] }
    return turnTo(next, review.at)
  }
  if (review.mode.kind === "busy") return { review: next, effects: [] }
  const index = review.open.findIndex(({ id }) => id === review.at)
  const follower = open[Math.min(Math.max(index, 0), open.length - 1)]?.id
  if (follower === review.at && review.epoch > 0) return { review: next, effects: [] }
  const gone: Message | undefined =
    review.at === undefined || review.epoch === 0
      ? review.message
      : { lines: [`${review.at}: decided elsewhere, or its bottle ended`], tone: "plain" }
  return turnTo({ ...next, message: gone }, follower)
}

function takeView(review: Review, { id, view, text }: Extract<Happening, { kind: "view" }>): Review {
  const { shown, mode } = review
  // One that is about another text was asked for before that was written.
  if (id !== review.at || mode.kind === "busy" || text !== shown?.text) return review
  if (shown === undefined) return anew({ ...review, shown: { view } })
  const next = { ...review, shown: { ...shown, view, ...(text === undefined ? {} : { of: text }) } }
  if (text !== shown.of) return anew({ ...next, scroll: 0, seen: 0 })
  const [before, after] = [shown.view.save, view.save]
  const saveMoved = before !== undefined && after !== undefined && JSON.stringify(before) !== JSON.stringify(after)
  if (toDecide(shown.view) === toDecide(view) && !saveMoved) {
    // What saving would write was asked for: it has to be looked at.
    return before === undefined && after !== undefined ? anew({ ...next, scroll: 0, seen: 0 }) : next
  }
  return anew({
    ...next,
    scroll: 0,
    seen: 0,
    mode: mode.kind === "reason" ? mode : { kind: "look" },
    message: { lines: ["it has moved since you looked: look again"], tone: "bad" },
  })
}

/** All that a decision rests on; counts of refusals go up by themselves. */
function toDecide({ refusals: _refusals, save: _save, ...rest }: ProposalView): string {
  return JSON.stringify(rest)
}

function notReadable(review: Review, id: string, why: string): Review {
  if (id !== review.at || review.mode.kind === "busy") return review
  const message: Message = { lines: [why], tone: "bad" }
  if (review.shown === undefined && review.message?.lines[0] === why) return review
  return anew({ ...review, shown: undefined, mode: { kind: "look" }, message })
}

/** Done, or taken by somebody else: on to the next. Anything else leaves it open, with the reason on the screen. */
function takeOutcome(review: Review, { id, outcome, lines }: Extract<Happening, { kind: "decided" }>): Step {
  const over = outcome.kind === "done" || outcome.kind === "taken" || outcome.kind === "unknown"
  const message: Message = { lines, tone: outcome.kind === "done" ? "good" : "bad" }
  if (over) {
    const index = review.open.findIndex((proposal) => proposal.id === id)
    const open = review.open.filter((proposal) => proposal.id !== id)
    const next = { ...review, open, message, mode: { kind: "look" } as const }
    return turnTo(next, open[Math.min(Math.max(index, 0), open.length - 1)]?.id)
  }
  const text = review.shown?.text
  const effects: Effect[] = [{ kind: "load", id, save: false, ...(text === undefined ? {} : { text }) }]
  return { review: anew({ ...review, message, mode: { kind: "look" } }), effects }
}

/** What approving the operator's text would open is asked for, and is shown in place of what the agent's would. */
function takeText(review: Review, id: string, text: string | undefined): Step {
  const { shown } = review
  if (id !== review.at || shown === undefined)
    return { review: anew({ ...review, mode: { kind: "look" } }), effects: [] }
  if (text === undefined || text.trimEnd() === (shown.text ?? shown.view.proposal.proposed_file).trimEnd()) {
    const message: Message = { lines: ["modify aborted: nothing was changed"], tone: "plain" }
    return { review: anew({ ...review, mode: { kind: "look" }, message }), effects: [] }
  }
  const message: Message = { lines: ["a and Enter approve your text; m goes on editing it"], tone: "plain" }
  const own = anew({ ...review, shown: { ...shown, text }, mode: { kind: "look" }, scroll: 0, seen: 0, message })
  return { review: own, effects: [{ kind: "load", id, save: false, text }] }
}

/** Keep the page within its ends, and remember how far it was on the screen. */
function see(review: Review): Review {
  if (review.shown === undefined) return review
  const { lines } = proposalPage(review.shown, review.size.columns)
  const rows = bodyRows(review)
  const scroll = Math.max(0, Math.min(review.scroll, lines.length - rows))
  return { ...review, scroll, seen: Math.max(review.seen, Math.min(scroll + rows, lines.length)) }
}
