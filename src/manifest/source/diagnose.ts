import { BottleError } from "../../lib/errors.ts"
import { safeText } from "../../ui/safe-text.ts"

/** A position in a file, both counted from 1. */
export interface Place {
  line: number
  col: number
}

/** What is wrong in a file, before it is known how the file is shown. */
export interface Problem {
  place: Place
  /** `egress.routes[0].host`; empty: the file as a whole. */
  path: string
  message: string
}

/** What is wrong, where, ready to print. */
export interface Diagnostic {
  /** As shown: `bottles/dev.md`, `./.bot-bottle/agents/x.md`. */
  file: string
  line: number
  col: number
  path: string
  message: string
}

/** A file with thousands of errors says no more than one with fifty. */
const maxShown = 50

/** Problems of one file as diagnostics. */
export function diagnose(file: string, problems: readonly Problem[]): Diagnostic[] {
  return inReadingOrder(
    problems.map(({ place, path, message }) => ({ file, line: place.line, col: place.col, path, message })),
  )
}

/** File by file as they first appear, top to bottom in each, nothing twice. */
export function inReadingOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))]
  const unique = [...new Map(diagnostics.map((each) => [formatDiagnostic(each), each])).values()]
  return unique.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.col - b.col)
}

/** One line, safe for a terminal: `bottles/dev.md:7:5 egress.routes[0].hots: unknown key; did you mean host?` */
export function formatDiagnostic({ file, line, col, path, message }: Diagnostic): string {
  const where = `${safeText(file, 200)}:${line}:${col}`
  const what = safeText(message, 300)
  return path === "" ? `${where} ${what}` : `${where} ${safeText(path, 200)}: ${what}`
}

/** All of it as one error (exit 3), a line each. */
export function manifestError(diagnostics: readonly Diagnostic[]): BottleError {
  const lines = diagnostics.slice(0, maxShown).map(formatDiagnostic)
  const more = diagnostics.length - lines.length
  if (more > 0) lines.push(`and ${more} more`)
  return new BottleError(lines.join("\n"), { code: "bad-manifest", exit: "badManifest" })
}

/** `egress.routes[0].host`; keys that are not plain words are quoted. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = ""
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`
    else if (/^[A-Za-z0-9_-]+$/.test(String(part))) text += text === "" ? String(part) : `.${String(part)}`
    else text += `[${JSON.stringify(String(part))}]`
  }
  return text
}
