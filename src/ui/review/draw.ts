import { aboutWhat } from "../proposal-lines.ts"
import { safeText } from "../safe-text.ts"
import { clipText, foldText } from "./fold.ts"
import { type Review, scopesOf } from "./model.ts"
import { type Line, proposalPage } from "./page.ts"

/** One row of the screen, as wide as it may be at most. */
export type Row = Line | { text: string; style: "title" | "message" | "good" | "bad" | "keys" }

export const keyHelp: readonly (readonly [key: string, does: string])[] = [
  ["a, Enter", "approve; the keys between choose for how long"],
  ["m", "edit what is asked for in $VISUAL or $EDITOR, then approve that"],
  ["r", "reject, with a reason that the agent reads"],
  ["l", "decide later: it stays open"],
  ["n p", "next, previous"],
  ["j k, space b, g G", "scroll"],
  ["q, Esc", "leave; what is open stays open"],
]

/** Rows of the screen from top to bottom, at most as many as it has, none wider than it is. */
export function drawReview(review: Review): Row[] {
  const { columns, rows } = review.size
  const foot = footRows(review)
  const room = bodyRows(review)
  const body = bodyOf(review)
  const shown = body.slice(review.mode.kind === "help" ? 0 : review.scroll).slice(0, room)
  const blank = Array.from({ length: Math.max(0, room - shown.length) }, (): Row => ({ text: "", style: "plain" }))
  const all = [titleRow(review), ...shown, ...blank, ...foot]
  return all.slice(0, rows).map((row) => ({ ...row, text: clipText(row.text, columns) }))
}

/** How many lines of the page the screen has room for. */
export function bodyRows(review: Review): number {
  const taken = toldRows(review).length + askRows(review).length + (hasPlace(review) ? 1 : 0)
  return Math.max(1, review.size.rows - 2 - taken)
}

function titleRow({ open, at, size }: Review): Row {
  const index = open.findIndex(({ id }) => id === at)
  const proposal = open[index]
  if (proposal === undefined) return { text: pad("bottle", "", size.columns), style: "title" }
  const place = `${index + 1} of ${open.length}`
  const words = `${safeText(proposal.bottle_slug, 40)} asks: ${aboutWhat(proposal)}`
  return { text: pad(words, place, size.columns), style: "title" }
}

function pad(left: string, right: string, columns: number): string {
  const words = clipText(left, Math.max(1, columns - right.length - 3))
  return ` ${words}${" ".repeat(Math.max(1, columns - Bun.stringWidth(words) - right.length - 2))}${right} `
}

function bodyOf({ mode, shown, open, at, size }: Review): readonly Line[] {
  const plain = (text: string): Line => ({ text, style: "plain" })
  if (mode.kind === "help") return keyHelp.map(([key, does]) => plain(`  ${key.padEnd(18)}${does}`))
  if (shown !== undefined) return proposalPage(shown, size.columns).lines
  return [plain(""), plain(open.length === 0 || at === undefined ? "  no open proposals" : "  reading it …")]
}

/** Message, what is asked of the operator, and the keys: at the bottom, whatever the page holds. */
function footRows(review: Review): Row[] {
  return [...toldRows(review), ...askRows(review), ...(hasPlace(review) ? [placeRow(review)] : []), keyRow(review)]
}

function toldRows({ message, size }: Review): Row[] {
  if (message === undefined) return []
  const style = message.tone === "plain" ? "message" : message.tone
  const lines = message.lines.flatMap((line) => foldText(safeText(line), size.columns - 1, 2))
  return lines.slice(0, size.rows < 12 ? 1 : 4).map((text) => ({ text: ` ${text}`, style }))
}

const hasPlace = ({ mode, shown, size }: Review) => mode.kind === "look" && shown !== undefined && size.rows >= 6

/** `lines 1-12 of 40`: nothing is below that is not counted. */
function placeRow(review: Review): Row {
  const { shown, scroll, size } = review
  const total = shown === undefined ? 0 : proposalPage(shown, size.columns).lines.length
  const last = Math.min(total, scroll + bodyRows(review))
  const more = last < total ? `; ${total - last} more below` : ""
  return { text: ` lines ${Math.min(scroll + 1, total)}-${last} of ${total}${more}`, style: "faint" }
}

function askRows({ mode, shown, size }: Review): Row[] {
  if (shown === undefined) return []
  const typed = (label: string, text: string): Row[] => {
    const room = Math.max(4, size.columns - label.length - 4)
    const all = [...safeText(text)]
    return [
      { text: ` ${label} ${all.length > room ? `…${all.slice(1 - room).join("")}` : all.join("")}_`, style: "head" },
    ]
  }
  if (mode.kind === "scope") {
    const choices = scopesOf(shown.view.proposal).map(({ key, words }, index) => {
      const label = `${key} ${words}`
      return index === mode.choice ? `[${label}]` : ` ${label} `
    })
    return [{ text: ` approve for ${choices.join(" ")}`, style: "head" }]
  }
  if (mode.kind === "reason") return typed("reason:", mode.text)
  if (mode.kind === "host") return typed("host that gets the credential:", mode.text)
  return []
}

function keyRow({ armed, mode, open, size, shown }: Review): Row {
  const row = (text: string): Row => ({ text: ` ${text}`, style: "keys" })
  if (mode.kind === "busy") return row(`${mode.words} …`)
  if (!armed) return row("wait: keys count after a second without one")
  if (mode.kind === "help") return row("any key goes back")
  if (mode.kind === "scope") return row("Enter approves, Esc does not")
  if (mode.kind === "reason") return row("Enter rejects, Esc does not")
  if (mode.kind === "host") return row("Enter approves, Esc does not")
  if (open.length === 0) return row("any key closes this")
  if (shown === undefined) return row("n next  p previous  q leave")
  const long = "a approve  m modify  r reject  l later  n next  p previous  ? help  q leave"
  return row(size.columns > long.length ? long : "a m r l n p  ? help  q")
}
