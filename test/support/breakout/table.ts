import { writeFileSync } from "node:fs"
import type { Finding } from "./judge.ts"

/** What became of one attack in one run. */
export interface Row extends Finding {
  /** Where it ran: a backend, or `outside`. */
  backend: string
  who: string
}

/** In a word: what the run showed. */
export function resultOf({ vector, leak, backend }: Row): string {
  if (backend === "outside") return leak === undefined ? "not possible here" : "arrives"
  if (leak === undefined) return "held"
  return vector.limit === undefined ? `LEAKED: ${leak}` : "passes, a limit"
}

/** Print the table to stderr; with `BOTTLE_BREAKOUT_TABLE` also write it there as Markdown. */
export function tellTable(rows: readonly Row[]): void {
  const head = ["attack", "bypass", "outside", "where", "result", "gate"]
  const outside = new Map(rows.filter(({ backend }) => backend === "outside").map((row) => [row.vector.name, row]))
  const cells = rows
    .filter(({ backend }) => backend !== "outside")
    .map((row) => {
      const shown = outside.get(row.vector.name)
      const { name, source, gate } = row.vector
      return [
        name,
        source,
        shown === undefined ? "" : resultOf(shown),
        `${row.backend}, ${row.who}`,
        resultOf(row),
        gate,
      ]
    })
  const widths = head.map((title, index) => Math.max(title.length, ...cells.map((line) => (line[index] ?? "").length)))
  const padded = (line: readonly string[]) => line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")
  for (const line of [head, ...cells]) console.error(padded(line).trimEnd())
  const held = cells.filter((line) => line[4] === "held").length
  console.error(`${cells.length} attempts, ${held} held`)
  const file = process.env.BOTTLE_BREAKOUT_TABLE
  if (file === undefined) return
  const markdown = [head, head.map(() => "---"), ...cells].map((line) => `| ${line.join(" | ")} |`)
  writeFileSync(file, `${markdown.join("\n")}\n`)
}
