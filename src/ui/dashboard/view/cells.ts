import { safeText } from "../../safe-text.ts"

/** How a piece of a row looks. A colour never says anything alone: a word or a mark stands beside it. */
export type Look = "plain" | "dim" | "bold" | "title" | "new" | "good" | "warn" | "bad" | "bar"

export interface Span {
  text: string
  look: Look
}

/** One row of the screen, from its left edge. */
export type Row = readonly Span[]

const segments = new Intl.Segmenter("en", { granularity: "grapheme" })

/** Columns that text takes on a terminal: wide characters take two. */
export const columns = (text: string): number => Bun.stringWidth(text)

/** Text cut to at most so many columns; what is cut off shows as `…`. */
export function cut(text: string, most: number): string {
  if (columns(text) <= most) return text
  if (most < 1) return ""
  let kept = ""
  let used = 0
  for (const { segment } of segments.segment(text)) {
    const wide = columns(segment)
    if (used + wide > most - 1) break
    kept += segment
    used += wide
  }
  return `${kept}…`
}

/** Foreign text in a field of so many columns: safe, one line, cut, filled up. */
export function field(text: string, width: number): string {
  const shown = cut(safeText(text, 400), width)
  return shown + " ".repeat(Math.max(0, width - columns(shown)))
}

export const span = (text: string, look: Look = "plain"): Span => ({ text, look })

/** A row no wider than the screen. */
export function clip(row: Row, width: number): Row {
  let left = width
  const kept: Span[] = []
  for (const { text, look } of row) {
    if (left <= 0) break
    const shown = cut(text, left)
    kept.push({ text: shown, look })
    left -= columns(shown)
  }
  return kept
}
