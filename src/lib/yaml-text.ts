/** What can be printed: data as JSON has it. Absent members of an object are left out. */
export type Printable =
  | string
  | number
  | boolean
  | readonly Printable[]
  | { readonly [key: string]: Printable | undefined }

/** Words that YAML would read as something else than text. */
const notText = /^(?:true|false|null|yes|no|on|off|y|n)$/i
const plain = /^[A-Za-z/][A-Za-z0-9_/.@-]*$/
/** Printable ASCII and letters; everything else a reader could take for a line's end, or not see, is escaped. */
const hidden = /[\x7f-\x9f\u2028\u2029\ufeff\p{Cf}]/gu

/**
 * Data as YAML in blocks, for those who may not load a YAML library: the sidecars. Equal data has equal text; a list of
 * plain words stands in one line.
 */
export function printYaml(value: Printable): string {
  return `${block(value, "")}\n`
}

function block(value: Printable, indent: string): string {
  if (typeof value !== "object") return scalar(value)
  if (isList(value)) {
    if (value.length === 0) return "[]"
    return value.map((item) => `${indent}- ${afterDash(item, `${indent}  `)}`).join("\n")
  }
  const entries = Object.entries(value).filter((entry): entry is [string, Printable] => entry[1] !== undefined)
  if (entries.length === 0) return "{}"
  return entries.map(([key, item]) => `${indent}${scalar(key)}:${afterColon(item, indent)}`).join("\n")
}

/** An object in a list begins on the dash's own line. */
function afterDash(item: Printable, indent: string): string {
  return inOneLine(item) ?? block(item, indent).trimStart()
}

function afterColon(item: Printable, indent: string): string {
  const short = inOneLine(item)
  return short === undefined ? `\n${block(item, `${indent}  `)}` : ` ${short}`
}

function inOneLine(value: Printable): string | undefined {
  if (typeof value !== "object") return scalar(value)
  if (!isList(value)) return Object.values(value).every((item) => item === undefined) ? "{}" : undefined
  return value.every((item) => typeof item !== "object") ? `[${value.map(scalar).join(", ")}]` : undefined
}

function scalar(value: Printable): string {
  if (typeof value !== "string") return String(value)
  if (plain.test(value) && !notText.test(value)) return value
  return JSON.stringify(value).replace(hidden, (char) =>
    [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  )
}

function isList(value: Printable): value is readonly Printable[] {
  return Array.isArray(value)
}
