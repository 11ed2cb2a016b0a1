import type { Duplex } from "node:stream"

/** Longest line of JSON that a control stream may carry, in bytes. */
export const maxLineBytes = 16 * 1024 * 1024

/** Splits a byte stream into lines; a line over `limit` throws a RangeError: close the stream. */
export class LineReader {
  #parts: Buffer[] = []
  #size = 0
  readonly #limit: number

  constructor(limit: number = maxLineBytes) {
    this.#limit = limit
  }

  push(chunk: Uint8Array): string[] {
    const lines: string[] = []
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      if (this.#size + end > this.#limit) throw new RangeError(`line over ${this.#limit} bytes`)
      lines.push(Buffer.concat([...this.#parts, rest.subarray(0, end)]).toString("utf8"))
      this.#parts = []
      this.#size = 0
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) {
      this.#parts.push(Buffer.from(rest))
      this.#size += rest.length
      if (this.#size > this.#limit) throw new RangeError(`line over ${this.#limit} bytes`)
    }
    return lines
  }

  /** Bytes received after the last complete line; resets the reader. */
  rest(): Buffer {
    const left = Buffer.concat(this.#parts)
    this.#parts = []
    this.#size = 0
    return left
  }
}

/** Write one JSON value as a line. */
export function writeLine(stream: Duplex | { write(text: string): unknown }, value: unknown): void {
  stream.write(`${JSON.stringify(value)}\n`)
}

/**
 * Read the next line of a stream, then leave the stream paused with anything after it put back.
 * Rejects when the stream ends first, or with a RangeError over `limit` bytes.
 */
export function readFirstLine(stream: Duplex, limit: number = maxLineBytes): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    const done = (act: () => void) => {
      stream.off("data", onData)
      stream.off("error", onError)
      stream.off("close", onClose)
      stream.off("end", onClose)
      act()
    }
    const onData = (chunk: Buffer) => {
      const end = chunk.indexOf(10)
      size += end === -1 ? chunk.length : end
      if (size > limit) return done(() => reject(new RangeError(`line over ${limit} bytes`)))
      if (end === -1) {
        parts.push(chunk)
        return
      }
      stream.pause()
      done(() => {
        parts.push(chunk.subarray(0, end))
        if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1))
        resolve(Buffer.concat(parts).toString("utf8"))
      })
    }
    const onError = (error: Error) => done(() => reject(error))
    const onClose = () => done(() => reject(new Error("stream ended before its first line")))
    // It has told so already, and will not again.
    if (stream.destroyed || stream.readableEnded) return onClose()
    stream.on("data", onData)
    stream.on("error", onError)
    stream.on("close", onClose)
    stream.on("end", onClose)
    // One that an earlier line was read from is paused.
    stream.resume()
  })
}
