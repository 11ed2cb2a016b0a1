import { safeText } from "./safe-text.ts"

/**
 * Foreign text made safe and broken between words at `columns`; further lines begin under `indent`. A word longer than
 * a line is cut.
 */
export function wrapText(line: string, indent: number, columns = 80): string[] {
  const lines: string[] = []
  let rest = safeText(line)
  while (rest.length > columns) {
    const at = rest.lastIndexOf(" ", columns)
    const cut = at > indent ? at : columns
    lines.push(rest.slice(0, cut).trimEnd())
    rest = `${" ".repeat(indent)}${rest.slice(cut).trimStart()}`
  }
  return [...lines, rest]
}
