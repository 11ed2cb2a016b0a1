import { safeText } from "../ui/safe-text.ts"
import type { Shell } from "./_shell.ts"

/** Longest cell; a longer one ends in a mark. */
const maxCell = 100

/**
 * Print rows in columns: the data on stdout, one row a line, and the headings on stderr, so that a pipe gets rows
 * only. Cells are made safe for a terminal.
 */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[], shell: Shell): void {
  const cells = rows.map((row) => row.map((cell) => safeText(cell, maxCell)))
  const widths = headings.map((heading, at) => Math.max(...[heading, ...cells.map((row) => row[at] ?? "")].map(width)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell + " ".repeat(Math.max(0, (widths[at] ?? 0) - width(cell))))
      .join("  ")
      .trimEnd()
  shell.log.info(line(headings))
  for (const row of cells) shell.print(line(row))
}

/** Print `name  text` lines; a list takes a line each, an empty one is left out. */
export function printFields(
  fields: readonly (readonly [name: string, text: string | readonly string[]])[],
  shell: Shell,
): void {
  for (const [name, text] of fields) {
    const lines = typeof text === "string" ? [text] : text
    for (const [at, one] of lines.entries())
      shell.print(`${(at === 0 ? name : "").padEnd(12)} ${safeText(one)}`.trimEnd())
  }
}

function width(text: string): number {
  return Bun.stringWidth(text)
}
