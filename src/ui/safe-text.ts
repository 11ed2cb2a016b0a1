/** What safe text may keep besides what can be seen. */
export interface SafeTextOptions {
  /** Keep newlines and tabs. CR LF becomes a newline; a lone CR, which overwrites a line, is always marked. */
  lines?: boolean
}

const defaultMax = 2000
/** Scripts stack up to four marks; more only serve to draw over the neighbouring lines. */
const maxMarks = 6

/**
 * Everything that a terminal acts on or a person cannot see: controls, format characters (bidi, zero width, tags),
 * separators, lone surrogates, fillers, and characters that stand for nothing.
 */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u
/** The same within JSON text, where the line feeds between members stay. */
const hiddenInJson = new RegExp(`(?!\\n)${hidden.source}`, "gu")
const mark = /\p{M}/u
/** Nothing but ASCII that prints: the usual case, returned untouched. */
const plain = /^[\x20-\x7e]*$/

/**
 * Foreign text (from a file, an agent, an upstream, a file name) made safe to print: what a terminal would act on
 * or an eye would miss is shown as a visible mark (`␛`, `<U+202E>`), and text longer than `max` characters ends in
 * `…(+123)`, the count of characters left out. One line, unless `lines` is asked for.
 */
export function safeText(text: string, max: number = defaultMax, options: SafeTextOptions = {}): string {
  if (text.length <= max && plain.test(text)) return text
  const shown: string[] = []
  let length = 0
  let marks = 0
  let at = 0
  while (at < text.length) {
    const step = stepAt(text, at, options.lines === true)
    marks = mark.test(step.raw) ? marks + 1 : 0
    const piece = marks > maxMarks ? codeMark(step.code) : step.piece
    if (length + width(piece) > max) return `${shown.join("")}…(+${countFrom(text, at)})`
    shown.push(piece)
    length += width(piece)
    at += step.raw.length
  }
  return shown.join("")
}

/**
 * Data as JSON that is safe to show: whatever a terminal would act on or an eye would miss is written as `\uXXXX`,
 * which reads back as the same data.
 */
export function safeJson(value: unknown, indent = 2): string {
  return escapeJson(JSON.stringify(value, null, indent))
}

/** The same for text that is JSON already. */
export function escapeJson(text: string): string {
  return text.replace(hiddenInJson, (character) =>
    Array.from({ length: character.length }, (_, at) => jsonEscape(character.charCodeAt(at))).join(""),
  )
}

const jsonEscape = (unit: number) => `\\u${unit.toString(16).padStart(4, "0")}`

interface Step {
  raw: string
  code: number
  piece: string
}

function stepAt(text: string, at: number, lines: boolean): Step {
  const code = text.codePointAt(at) ?? 0
  if (lines && code === 0x0d && text.charCodeAt(at + 1) === 0x0a) return { raw: "\r\n", code, piece: "\n" }
  const raw = String.fromCodePoint(code)
  if (lines && (code === 0x0a || code === 0x09)) return { raw, code, piece: raw }
  if (isEmojiSelector(text, at, code)) return { raw, code, piece: raw }
  return { raw, code, piece: hidden.test(raw) ? visible(code) : raw }
}

/** U+FE0E and U+FE0F after a visible character choose how it is drawn; anywhere else they can carry hidden bits. */
function isEmojiSelector(text: string, at: number, code: number): boolean {
  if (code !== 0xfe0e && code !== 0xfe0f) return false
  if (at === 0) return false
  const before = text.codePointAt(isTrail(text, at - 1) ? at - 2 : at - 1) ?? 0
  return before > 0x20 && !hidden.test(String.fromCodePoint(before))
}

function isTrail(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return at > 0 && unit >= 0xdc00 && unit <= 0xdfff
}

function visible(code: number): string {
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return "␡"
  return codeMark(code)
}

function codeMark(code: number): string {
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`
}

function width(piece: string): number {
  return piece.startsWith("<U+") ? piece.length : 1
}

function countFrom(text: string, at: number): number {
  let count = 0
  for (let i = at; i < text.length; i += (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1) count += 1
  return count
}
