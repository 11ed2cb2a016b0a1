/** What may follow the first byte of a character: how many more bytes, and the range of the next one. */
export interface Utf8Rest {
  need: number
  low: number
  high: number
}

const after: readonly [Utf8Rest, Utf8Rest, Utf8Rest, Utf8Rest] = [
  { need: 0, low: 0x80, high: 0xbf },
  { need: 1, low: 0x80, high: 0xbf },
  { need: 2, low: 0x80, high: 0xbf },
  { need: 3, low: 0x80, high: 0xbf },
]
/** First bytes whose next one is restricted, so that overlong forms, surrogates and what is beyond Unicode have no reading. */
const restricted: ReadonlyMap<number, Utf8Rest> = new Map([
  [0xe0, { need: 2, low: 0xa0, high: 0xbf }],
  [0xed, { need: 2, low: 0x80, high: 0x9f }],
  [0xf0, { need: 3, low: 0x90, high: 0xbf }],
  [0xf4, { need: 3, low: 0x80, high: 0x8f }],
])

/** The bytes after this first one, or undefined when no character begins with it. */
export function utf8Start(byte: number): Utf8Rest | undefined {
  if (byte < 0xc2 || byte > 0xf4) return undefined
  if (byte < 0xe0) return after[1]
  return restricted.get(byte) ?? (byte < 0xf0 ? after[2] : after[3])
}

/** The bytes still to come when one of `need` has come. */
export function utf8Next(need: number): Utf8Rest {
  return need === 3 ? after[2] : need === 2 ? after[1] : after[0]
}

/** Where a byte stands, from `from` on, that may end a string which is dropped: a control, or the 8-bit terminator. */
export function droppedEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    if (byte < 0x20 || byte === 0x9c) return at
    at += 1
  }
  return at
}

/**
 * Where the run of plain text beginning at `from` ends: printable characters, whole in this chunk and well-formed, and
 * the controls from backspace to carriage return. The hot loop of the filter.
 */
export function plainEnd(bytes: Uint8Array, from: number): number {
  const length = bytes.length
  let at = from
  while (at < length) {
    const byte = bytes[at] ?? 0
    if (byte < 0x80) {
      if ((byte >= 0x20 && byte !== 0x7f) || (byte >= 0x08 && byte <= 0x0d)) at += 1
      else return at
      continue
    }
    const width = characterWidth(bytes, at, byte)
    if (width === 0) return at
    at += width
  }
  return at
}

/** Bytes of the character at `at`; 0 when it is malformed, incomplete, or one of the controls U+0080 to U+009F. */
function characterWidth(bytes: Uint8Array, at: number, first: number): number {
  const second = bytes[at + 1] ?? 0
  if (first < 0xc2) return 0
  if (first === 0xc2) return second >= 0xa0 && second <= 0xbf ? 2 : 0
  if (first < 0xe0) return isRest(second) ? 2 : 0
  const third = bytes[at + 2] ?? 0
  if (first < 0xf0) {
    if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0
    return isRest(second) && isRest(third) ? 3 : 0
  }
  if (first > 0xf4 || (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0
  return isRest(second) && isRest(third) && isRest(bytes[at + 3] ?? 0) ? 4 : 0
}

function isRest(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf
}
