/**
 * What may stand in the filter's output, written down a second time and apart from the filter: one pattern a kind.
 * Tests that feed the filter anything read its output with this.
 */
const allowed = [
  /[^\0-\x1f\x7f-\x9f]+/, // text
  /[\b\t\n\v\f\r\x0e\x0f]/,
  /\x1b\[[\d;:]*m/,
  /\x1b\[\d*[@A-GILMPSTXZ`abde]/,
  /\x1b\[\d*(;\d*)?[Hfr]/,
  /\x1b\[[012]?[JK]/,
  /\x1b\[[su]/,
  /\x1b\[[03]?g|\x1b\[\?5W/,
  /\x1b\[4[hl]/,
  /\x1b\[\?(1|6|7|9|12|25|47|66|1047|1048|1049|1000|100[2-6]|1015|1016|2004|2026)[hl]/,
  /\x1b\[[0-6]? q/,
  /\x1b\[!p/,
  /\x1b\[>4(;[012]?)?m/,
  /\x1b\[>\d{0,2}u|\x1b\[<\d*u|\x1b\[=\d{0,2}(;[123]?)?u/,
  /\x1b[78DEHM=>]|\x1b[()][0B]/,
  /\x1b\](4;\d+;[\w:/# ]+(;\d+;[\w:/# ]+)*|1[012](;[\w:/# ]+)+|104(;\d+)*|11[012])\x1b\\/,
]
const one = new RegExp(allowed.map((pattern) => `(?:${pattern.source})`).join("|"), "y")

/** The first thing in these bytes that is not allowed, quoted; undefined when all is. */
export function firstForbidden(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  one.lastIndex = 0
  while (one.lastIndex < text.length) {
    const at = one.lastIndex
    if (!one.test(text)) return JSON.stringify(text.slice(at, at + 40))
  }
  return undefined
}
