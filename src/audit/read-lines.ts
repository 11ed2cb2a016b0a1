import { closeSync, openSync, readSync } from "node:fs"
import { longestLine } from "./line.ts"

const chunkBytes = 256 * 1024
const lineFeed = 0x0a

/** A line's bytes without its line feed. `kind` "torn": the file's end, which has none; "endless": longer than any of ours. */
export interface RawLine {
  kind: "line" | "torn" | "endless"
  bytes: Buffer
}

/** The lines of a file's first `size` bytes, in order, however large it is. The bytes of a line live until the next. */
export function* readRawLines(path: string, size: number): Generator<RawLine> {
  const file = openSync(path, "r")
  try {
    let rest = Buffer.alloc(0)
    for (let at = 0; at < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - at))
      const got = readSync(file, chunk, 0, chunk.length, at)
      if (got === 0) break
      at += got
      const bytes = rest.length === 0 ? chunk.subarray(0, got) : Buffer.concat([rest, chunk.subarray(0, got)])
      let from = 0
      for (let feed = bytes.indexOf(lineFeed); feed !== -1; feed = bytes.indexOf(lineFeed, from)) {
        yield { kind: "line", bytes: bytes.subarray(from, feed) }
        from = feed + 1
      }
      rest = bytes.subarray(from)
      if (rest.length > longestLine) return yield { kind: "endless", bytes: rest }
    }
    if (rest.length > 0) yield { kind: "torn", bytes: rest }
  } finally {
    closeSync(file)
  }
}
