/** How many parameters a final byte takes where they need no second look: 1 number, 2 a pair, 3 a list of styles. */
const kinds: Uint8Array = new Uint8Array(128)
for (const final of "@ABCDEFGILMPSTXZ`ade") kinds[final.charCodeAt(0)] = 1
for (const final of "Hf") kinds[final.charCodeAt(0)] = 2
kinds["m".charCodeAt(0)] = 3

const [esc, bracket, eraseLine, zero, nine, colon, semicolon] = [0x1b, 0x5b, 0x4b, 0x30, 0x39, 0x3a, 0x3b]
const maxLength = 256

/**
 * Where the control sequence at `from` ends, when it is one of the few that make up nearly all of a full-screen
 * program's output (styles, cursor movement, erase to the end of the line), stands whole in this chunk, and is
 * canonical already, so that it may be copied with the text around it; otherwise 0, and the parser judges it.
 * Everything let through here `acceptControl` lets through unchanged.
 */
export function quickControlEnd(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== esc || bytes[from + 1] !== bracket) return 0
  const limit = Math.min(bytes.length, from + maxLength)
  let digits = 0
  let parts = 1
  let hasColon = false
  for (let at = from + 2; at < limit; at++) {
    const byte = bytes[at] ?? 0
    if (byte >= zero && byte <= nine) {
      if (++digits > 5) return 0
    } else if (byte === semicolon || byte === colon) {
      hasColon ||= byte === colon
      parts += 1
      digits = 0
    } else {
      const kind = byte < 128 ? (kinds[byte] ?? 0) : 0
      const fits = kind === 3 || (kind >= parts && !hasColon) || (byte === eraseLine && at === from + 2)
      return fits ? at + 1 : 0
    }
  }
  return 0
}

/** Does this sequence, which ends before `end`, leave a style on? */
export function isStyle(bytes: Uint8Array, from: number, end: number): "on" | "off" | "none" {
  if (bytes[end - 1] !== 0x6d) return "none"
  return end - from === 3 || (end - from === 4 && bytes[from + 2] === zero) ? "off" : "on"
}
