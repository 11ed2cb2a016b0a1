/** A printable character as it is, or the name of a key that has none. */
export type Key = string

const named: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\x08": "backspace",
  "\x03": "ctrl-c",
  "\x04": "ctrl-d",
  "\x15": "ctrl-u",
  "\x1b": "escape",
}

/** What stands behind `ESC [` or `ESC O`, as the terminals of today send it. */
const sequences: Readonly<Record<string, Key>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  "1~": "home",
  "4~": "end",
  "5~": "pageup",
  "6~": "pagedown",
  "7~": "home",
  "8~": "end",
}

/** A sequence of the terminal's, an `ESC` with one more, or one character. */
const token = /\x1b[[O]([0-9;?<]*[ -/]*[@-~])|\x1b([^\x1b])|([\s\S])/gu

/** Keys of one read. A sequence that is none of ours is no key; what cannot be seen is none either. */
export function readKeys(text: string): Key[] {
  return [...text.matchAll(token)].flatMap(([, sequence, meta, character = ""]) => {
    if (sequence !== undefined) {
      const key = sequences[sequence]
      return key === undefined ? ["other"] : [key]
    }
    if (meta !== undefined) return ["other"]
    const key = named[character]
    if (key !== undefined) return [key]
    return /^[\p{C}\p{Z}]$/u.test(character) && character !== " " ? ["other"] : [character]
  })
}
