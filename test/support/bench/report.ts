import type { Finding, Report, Table } from "../../bench/bench.ts"

/** A bench's name and what became of it. */
export type Result = { name: string; seconds: number } & ({ report: Report } | { error: string })

/** Whether a finding is as it should be; undefined without an aim. */
export function isMet({ value, aim }: Finding): boolean | undefined {
  if (aim === undefined) return undefined
  return "atMost" in aim ? value <= aim.atMost : value >= aim.atLeast
}

/** Three significant digits, or whole numbers where they are large. */
export function formatNumber(value: number | string): string {
  if (typeof value === "string") return value
  if (!Number.isFinite(value)) return "–"
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
}

const amount = (value: number, unit: Finding["unit"]) => `${formatNumber(value)}${unit === "x" ? "x" : ` ${unit}`}`

function describeAim({ aim, unit }: Finding): string {
  if (aim === undefined) return ""
  return "atMost" in aim ? `≤ ${amount(aim.atMost, unit)}` : `≥ ${amount(aim.atLeast, unit)}`
}

function mark(finding: Finding): string {
  const met = isMet(finding)
  return met === undefined ? "" : met ? "met" : "NOT met"
}

/** A result for a terminal. */
export function renderText(result: Result): string {
  const title = `== ${result.name} (${result.seconds.toFixed(0)} s)`
  if ("error" in result) return `${title}\nfailed: ${result.error}\n`
  const { method, findings, tables, notes } = result.report
  const lines = findings.map((finding) => {
    const aim = describeAim(finding)
    const words = aim === "" ? "" : `  ${mark(finding)} (aim ${aim})`
    return `${amount(finding.value, finding.unit).padStart(10)}  ${finding.what}${words}`
  })
  const parts = [title, ...lines, "", ...tables.flatMap(textTable), `method: ${method}`]
  return [...parts, ...notes.map((note) => `note: ${note}`), ""].join("\n")
}

function textTable({ title, columns, rows }: Table): string[] {
  const first = Math.max(...rows.map(([name]) => name.length), 12)
  const line = (name: string, cells: readonly (number | string)[]) =>
    `  ${name.padEnd(first)}${cells.map((cell) => formatNumber(cell).padStart(13)).join("")}`
  return [title, line("", columns), ...rows.map(([name, ...cells]) => line(name, cells)), ""]
}

/** All results as one page of Markdown. */
export function renderMarkdown(results: readonly Result[]): string {
  return results.map(markdownOf).join("\n")
}

function markdownOf(result: Result): string {
  if ("error" in result) return `## ${result.name}\n\nFailed: ${result.error}\n`
  const { method, findings, tables, notes } = result.report
  const compared = markdownTable(
    ["", "measured", "aim", ""],
    findings.map((one) => [one.what, amount(one.value, one.unit), describeAim(one), mark(one)]),
  )
  const detail = tables.map(({ title, columns, rows }) => `${title}:\n\n${markdownTable(["", ...columns], rows)}`)
  const remarks = notes.length === 0 ? [] : [`${notes.map((note) => `- ${note}`).join("\n")}\n`]
  return [`## ${result.name}\n`, compared, ...detail, `${method}\n`, ...remarks].join("\n")
}

function markdownTable(columns: readonly string[], rows: readonly (readonly (number | string)[])[]): string {
  const line = (cells: readonly (number | string)[]) => `| ${cells.map(formatNumber).join(" | ")} |`
  const rule = `|${columns.map((_, index) => (index === 0 ? "---" : "---:")).join("|")}|`
  return [line(columns), rule, ...rows.map(line), ""].join("\n")
}
