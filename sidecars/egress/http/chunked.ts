import type { Body } from "./body.ts"
import { BadMessage, type Header, parseFields } from "./head.ts"
import { type ByteSource, ConnectionLost } from "./source.ts"

/** Longest line of a chunk's size with its extensions, and longest block of trailers, in bytes. */
const maxSizeLine = 1024
const maxTrailers = 16 * 1024
const sizeLine = /^([0-9A-Fa-f]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?$/

/**
 * Takes the chunked coding off a stream, strictly: hexadecimal digits only, CR LF only, extensions dropped. `next`
 * gives the data of as many chunks as one read brought, as one buffer.
 */
export class ChunkedReader implements Body {
  readonly #source: ByteSource
  #state: "size" | "data" | "end-of-data" | "trailers" | "done" = "size"
  #left = 0
  #line = ""
  readonly #trailerLines: string[] = []
  #trailerSize = 0
  #trailers: Header[] = []

  constructor(source: ByteSource) {
    this.#source = source
  }

  get trailers(): Header[] {
    return this.#trailers
  }

  get complete(): boolean {
    return this.#state === "done"
  }

  next(): Buffer | null | Promise<Buffer | null> {
    while (this.#state !== "done") {
      const chunk = this.#source.take()
      if (chunk === undefined) return this.#nextLater()
      const data = this.#accept(chunk)
      if (data !== undefined) return data
    }
    return null
  }

  async #nextLater(): Promise<Buffer | null> {
    while (this.#state !== "done") {
      const data = this.#accept(await this.#source.next())
      if (data !== undefined) return data
    }
    return null
  }

  /** Take one read apart; the data in it, or nothing if there was only framing. */
  #accept(bytes: Buffer | null): Buffer | undefined {
    if (bytes === null) throw new ConnectionLost("the body ended early")
    const data: Buffer[] = []
    let at = 0
    while (at < bytes.length && this.#state !== "done") {
      if (this.#state === "data") {
        const end = Math.min(bytes.length, at + this.#left)
        data.push(bytes.subarray(at, end))
        this.#left -= end - at
        at = end
        if (this.#left === 0) this.#state = "end-of-data"
      } else {
        at = this.#acceptLine(bytes, at)
      }
    }
    if (at < bytes.length) this.#source.putBack(bytes.subarray(at))
    if (data.length === 0) return undefined
    return data.length === 1 ? data[0] : Buffer.concat(data)
  }

  /** Continue the line under way; returns the place after what was used. */
  #acceptLine(bytes: Buffer, at: number): number {
    const newline = bytes.indexOf(10, at)
    const end = newline === -1 ? bytes.length : newline
    const limit = this.#state === "trailers" ? maxTrailers : maxSizeLine
    if (this.#line.length + end - at > limit) throw new BadMessage("a line of chunk framing is too long")
    this.#line += bytes.toString("latin1", at, end)
    if (newline === -1) return end
    if (!this.#line.endsWith("\r")) throw new BadMessage("a line of chunk framing does not end in CR LF")
    const line = this.#line.slice(0, -1)
    this.#line = ""
    this.#finishLine(line)
    return newline + 1
  }

  #finishLine(line: string): void {
    if (this.#state === "end-of-data") {
      if (line !== "") throw new BadMessage("a chunk is longer than its size")
      this.#state = "size"
    } else if (this.#state === "size") {
      const digits = sizeLine.exec(line)?.[1]
      if (digits === undefined) throw new BadMessage("a malformed chunk size")
      this.#left = Number.parseInt(digits, 16)
      this.#state = this.#left === 0 ? "trailers" : "data"
    } else if (line === "") {
      this.#trailers = parseFields(this.#trailerLines, 0)
      this.#state = "done"
    } else {
      this.#trailerSize += line.length
      if (this.#trailerSize > maxTrailers) throw new BadMessage("the trailers are too long")
      this.#trailerLines.push(line)
    }
  }
}
