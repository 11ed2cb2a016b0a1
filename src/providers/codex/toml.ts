/** The part of TOML that a configuration of ours needs. */
export interface Toml {
  readonly [key: string]: string | number | boolean | Toml
}

/** Tables of text, numbers and booleans as TOML. Keys are always quoted where they are not bare. */
export function writeToml(table: Toml): string {
  return sections(table, []).join("\n")
}

function sections(table: Toml, path: readonly string[]): string[] {
  const lines: string[] = []
  const tables: string[] = []
  for (const [key, value] of Object.entries(table)) {
    if (typeof value === "object") tables.push("", ...sections(value, [...path, key]))
    else lines.push(`${keyText(key)} = ${typeof value === "string" ? quoted(value) : String(value)}`)
  }
  // A table without values of its own needs no head.
  const head = path.length > 0 && lines.length > 0 ? [`[${path.map(keyText).join(".")}]`] : []
  return [...head, ...lines, ...tables]
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key)
}

/** JSON's escapes are TOML's too; TOML also wants DEL escaped and knows no lone surrogates. */
function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll("\u007f", "\\u007f")
}
