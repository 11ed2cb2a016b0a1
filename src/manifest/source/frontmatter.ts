import type { Problem } from "./diagnose.ts"

/** A Markdown file taken apart. `yaml` begins on line `yamlLine` (1-based) of the file. */
export interface Split {
  yaml: string
  yamlLine: number
  /** The body, line ends as LF, blank lines around it dropped. */
  body: string
}

/** Frontmatter beyond this is no policy that anyone reviews, and the parser's time grows with it. */
export const maxFrontmatter = 64 * 1024

const fence = /^---[ \t]*$/

/**
 * Split Markdown into its YAML frontmatter, which must begin on the first line with `---` and end with another, and
 * its body. LF and CRLF are both line ends. What is wrong comes back as one problem with its position.
 */
export function splitFrontmatter(text: string, max: number = maxFrontmatter): Split | Problem {
  if (!fence.test(lineAt(text, 0))) {
    return problem("no frontmatter: the first line must be ---")
  }
  const start = nextLine(text, 0)
  for (let at = start; at < text.length; at = nextLine(text, at)) {
    if (!fence.test(lineAt(text, at))) continue
    if (at - start > max) return problem(`the frontmatter is larger than ${max / 1024} KB`)
    return { yaml: text.slice(start, at), yamlLine: 2, body: tidy(text.slice(nextLine(text, at))) }
  }
  return problem("the frontmatter is not closed: a second line --- is missing")
}

function problem(message: string): Problem {
  return { place: { line: 1, col: 1 }, path: "", message }
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf("\n", at)
  const line = text.slice(at, end === -1 ? text.length : end)
  return line.endsWith("\r") ? line.slice(0, -1) : line
}

function nextLine(text: string, at: number): number {
  const end = text.indexOf("\n", at)
  return end === -1 ? text.length : end + 1
}

function tidy(body: string): string {
  return body.replaceAll("\r\n", "\n").replace(/^\n+/, "").trimEnd()
}
