import { proposalLines } from "../../proposal-lines.ts"
import type { Detail, State } from "../state/types.ts"
import { columns, type Look, type Row, span } from "./cells.ts"

/** Everything about one proposal, broken at the screen's width (BEHAVIOUR 10). */
export function detailRows({ size }: Pick<State, "size">, modal: Detail): Row[] {
  const notes = modal.note.map((line) => ({ line, look: "bad" as const }))
  const lines = [...notes, ...(notes.length === 0 ? [] : [{ line: "", look: "plain" as const }]), ...body(modal)]
  return lines.flatMap(({ line, look }) => folded(line, size.cols).map((part) => [span(part, look)]))
}

function body({ view, text, over }: Detail): { line: string; look: Look }[] {
  if (view === undefined) return over ? [] : [{ line: "asking the bottle's keeper", look: "dim" }]
  const before =
    text === undefined ? [] : [{ line: "YOUR TEXT: what the agent proposed was changed by you", look: "warn" as const }]
  const lines = text === undefined ? proposalLines(view) : proposalLines(view, text)
  return [...before, ...lines.map((line) => ({ line, look: lookOf(line) }))]
}

const headings = /^(reason \(|failed URL|proposed |approving adds|blast radius|--save )/

function lookOf(line: string): Look {
  if (line.startsWith("  + ")) return "good"
  if (line.startsWith("  !!")) return "bad"
  if (line.startsWith("   !")) return "warn"
  if (line.startsWith("cannot be approved")) return "bad"
  return headings.test(line) ? "title" : "plain"
}

/** A line that is wider than the screen goes on in the next: nothing of it is hidden. */
function folded(line: string, width: number): string[] {
  const parts: string[] = []
  let part = ""
  let used = 0
  for (const character of line.replaceAll("\t", "    ")) {
    const wide = columns(character)
    if (used + wide > width) {
      parts.push(part)
      part = ""
      used = 0
    }
    part += character
    used += wide
  }
  return [...parts, part]
}
