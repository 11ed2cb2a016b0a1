/** Finds any of a set of literals in bytes (Wu-Manber on pairs of bytes). Immutable: one serves any number of streams. */
export interface Scanner {
  /** Tell every match that lies wholly in `bytes`, by start and end; matches may overlap. */
  scan(bytes: Buffer, onMatch: (start: number, end: number) => void): void
  /** Where the longest end of `bytes` starts that may be the beginning of a literal; `bytes.length` if none. */
  partialFrom(bytes: Buffer): number
}

/** Build a scanner; `undefined` when there is nothing to look for. */
export function createScanner(literals: readonly Buffer[]): Scanner | undefined {
  const wanted = literals.filter((literal) => literal.length >= 2)
  if (wanted.length === 0) return undefined
  const shortest = Math.min(...wanted.map((literal) => literal.length))
  const longest = Math.max(...wanted.map((literal) => literal.length))
  const shifts = new Uint8Array(65536).fill(Math.min(shortest - 1, 255))
  const endingIn = new Map<number, Buffer[]>()
  const startingWith: Buffer[][] = Array.from({ length: 256 }, () => [])
  const starts = new Uint8Array(256)
  for (const literal of wanted) {
    for (let at = 1; at < shortest; at++) {
      const pair = ((literal[at - 1] ?? 0) << 8) | (literal[at] ?? 0)
      const shift = shortest - 1 - at
      if (shift < (shifts[pair] ?? 0)) shifts[pair] = shift
      if (shift === 0) endingIn.set(pair, [...(endingIn.get(pair) ?? []), literal])
    }
    const first = literal[0] ?? 0
    starts[first] = 1
    startingWith[first]?.push(literal)
  }

  function scan(bytes: Buffer, onMatch: (start: number, end: number) => void): void {
    const length = bytes.length
    let at = shortest - 1
    while (at < length) {
      const pair = ((bytes[at - 1] as number) << 8) | (bytes[at] as number)
      const shift = shifts[pair] as number
      if (shift > 0) {
        at += shift
        continue
      }
      const start = at - shortest + 1
      for (const literal of endingIn.get(pair) ?? []) {
        const end = start + literal.length
        if (end <= length && bytes.compare(literal, 0, literal.length, start, end) === 0) onMatch(start, end)
      }
      at++
    }
  }

  function partialFrom(bytes: Buffer): number {
    for (let at = Math.max(0, bytes.length - longest + 1); at < bytes.length; at++) {
      if (starts[bytes[at] as number] === 0) continue
      const left = bytes.length - at
      for (const literal of startingWith[bytes[at] as number] ?? []) {
        if (literal.length > left && bytes.compare(literal, 0, left, at, bytes.length) === 0) return at
      }
    }
    return bytes.length
  }

  return { scan, partialFrom }
}
