import type { Scanner } from "./scanner.ts"

const star = 0x2a
const nothing = Buffer.alloc(0)

/**
 * Stars secrets out of a stream of bytes, each by as many stars as it had bytes, so that lengths and framing hold.
 * Only bytes that are the beginning of a secret so far are held back: an event stream passes event by event.
 */
export class Redactor {
  readonly #scanner: Scanner
  #held: Buffer = nothing
  /** How many of the first held bytes belong to a secret that ended inside them. */
  #starredHeld = 0
  /** Number of places starred so far. */
  hits = 0

  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  /** The bytes that may go on now; the chunk itself when nothing was found in it. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    return this.#release(bytes, this.#scanner.partialFrom(bytes))
  }

  /** What was still held back. */
  end(): Buffer {
    const bytes = this.#held
    return bytes.length === 0 ? nothing : this.#release(bytes, bytes.length)
  }

  #release(bytes: Buffer, holdFrom: number): Buffer {
    const ranges: [number, number][] = this.#starredHeld > 0 ? [[0, this.#starredHeld]] : []
    this.#scanner.scan(bytes, (start, end) => {
      // What lies wholly in the held part is found again when that part goes on.
      if (start >= holdFrom) return
      ranges.push([start, end])
      this.hits++
    })
    let out = bytes.subarray(0, holdFrom)
    if (ranges.length > 0) {
      out = Buffer.from(out)
      for (const [start, end] of ranges) out.fill(star, start, Math.max(start, Math.min(end, holdFrom)))
    }
    this.#starredHeld = Math.max(0, ...ranges.map(([, end]) => end - holdFrom))
    this.#held = holdFrom === bytes.length ? nothing : Buffer.from(bytes.subarray(holdFrom))
    return out
  }
}

/** Star secrets out of a text in one go. `encoding` says how its characters became bytes. */
export function redactText(scanner: Scanner | undefined, text: string, encoding: "latin1" | "utf8"): string {
  if (scanner === undefined) return text
  const bytes = Buffer.from(text, encoding)
  let found = false
  scanner.scan(bytes, () => {
    found = true
  })
  if (!found) return text
  const redactor = new Redactor(scanner)
  return Buffer.concat([redactor.push(bytes), redactor.end()]).toString(encoding)
}
