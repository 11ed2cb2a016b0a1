const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/**
 * Safe text broken at `columns` cells, between words where there are any; further lines begin under `indent`. Characters
 * that take two cells are counted so. Tabs become spaces.
 */
export function foldText(text: string, columns: number, indent: number): string[] {
  const room = Math.max(columns, indent + 4)
  const lines: string[] = []
  let line = ""
  let width = 0
  for (const { segment } of segments.segment(text.replaceAll("\t", "  "))) {
    const cells = Bun.stringWidth(segment)
    if (width + cells > room) {
      const space = line.lastIndexOf(" ")
      const at = space > indent && line.slice(0, space).trim() !== "" ? space : line.length
      lines.push(line.slice(0, at).trimEnd())
      line = `${" ".repeat(indent)}${line.slice(at).trimStart()}`
      width = Bun.stringWidth(line)
    }
    line += segment
    width += cells
  }
  return [...lines, line]
}

/** Text cut to `columns` cells. */
export function clipText(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text
  let line = ""
  let width = 0
  for (const { segment } of segments.segment(text)) {
    const cells = Bun.stringWidth(segment)
    if (width + cells > columns - 1) break
    line += segment
    width += cells
  }
  return `${line}…`
}
