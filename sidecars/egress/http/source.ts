import type { Duplex } from "node:stream"

/** The other side went away where more was expected. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost"
}

/** Bytes held before the stream is paused. Enough to see a FIN behind a pipelined request, little enough to stay flat. */
const highWater = 64 * 1024

/**
 * The reading half of a stream, pulled by one reader: chunks as they arrived, with back-pressure, and bytes put back.
 * `take` is the path without a promise; `undefined` means nothing is there yet, `null` the orderly end.
 */
export class ByteSource {
  readonly stream: Duplex
  readonly #chunks: Buffer[] = []
  #held = 0
  #paused = false
  #end: null | Error | undefined
  #wake: (() => void) | undefined
  readonly #onData = (chunk: Buffer) => this.#arrive(chunk)
  readonly #onEnd = () => this.#finish(null)
  readonly #onError = (error: Error) => this.#finish(new ConnectionLost(error.message))
  readonly #onClose = () => this.#finish(new ConnectionLost("closed"))

  constructor(stream: Duplex) {
    this.stream = stream
    stream.on("data", this.#onData)
    stream.on("end", this.#onEnd)
    stream.on("error", this.#onError)
    stream.on("close", this.#onClose)
  }

  /** Whether the other side has ended or broken the stream, seen or not by the reader. */
  get ended(): boolean {
    return this.#end !== undefined
  }

  /** Bytes that arrived and were not yet read. */
  get held(): number {
    return this.#held
  }

  /** The next chunk, `null` at the end, `undefined` when there is nothing yet. Throws ConnectionLost. */
  take(): Buffer | null | undefined {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#held -= chunk.length
      if (this.#paused && this.#held < highWater) {
        this.#paused = false
        this.stream.resume()
      }
      return chunk
    }
    if (this.#end === null) return null
    if (this.#end !== undefined) throw this.#end
    return undefined
  }

  /** As `take`, waiting. */
  async next(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.take()
      if (chunk !== undefined) return chunk
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Give back bytes that were taken and not used; they are read again first. */
  putBack(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.unshift(chunk)
    this.#held += chunk.length
  }

  /** Stop reading, so that another owner can take the stream. Returns what was not read. */
  detach(): Buffer {
    this.stream.off("data", this.#onData)
    this.stream.off("end", this.#onEnd)
    this.stream.off("error", this.#onError)
    this.stream.off("close", this.#onClose)
    const rest = Buffer.concat(this.#chunks)
    this.#chunks.length = 0
    this.#held = 0
    return rest
  }

  #arrive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held >= highWater && !this.#paused) {
      this.#paused = true
      this.stream.pause()
    }
    this.#notify()
  }

  #finish(end: null | Error): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#notify()
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
