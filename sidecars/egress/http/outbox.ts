import type { Duplex } from "node:stream"
import { send } from "./send.ts"

/** Pieces are written at once beyond this many bytes, so that joining them never costs much memory. */
export const outboxLimit = 64 * 1024

/**
 * Gathers the pieces of a message that are at hand and writes them together: over TLS a write costs more than a copy.
 * Flush before waiting for anything, or what streams would stand still.
 */
export class Outbox {
  readonly #stream: Duplex
  #pieces: Buffer[] = []
  size = 0
  /** Bytes flushed so far. */
  sent = 0

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  get full(): boolean {
    return this.size >= outboxLimit
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    this.size += piece.length
  }

  addText(latin1: string): void {
    this.add(Buffer.from(latin1, "latin1"))
  }

  /** One chunk of a chunked body around data; nothing for no data, which would end the body. */
  addChunk(data: Buffer): void {
    if (data.length === 0) return
    this.addText(`${data.length.toString(16)}\r\n`)
    this.add(data)
    this.addText("\r\n")
  }

  /** Write what was gathered; a promise only when the other side is slow. */
  flush(): Promise<void> | undefined {
    const [only] = this.#pieces
    if (only === undefined) return undefined
    const bytes = this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces, this.size)
    this.#pieces = []
    this.size = 0
    this.sent += bytes.length
    return send(this.#stream, bytes)
  }
}
