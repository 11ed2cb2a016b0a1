import { ChunkedReader } from "./chunked.ts"
import { onlyValue, valuesOf } from "./fields.ts"
import { BadMessage, type Headers, type RequestHead, type ResponseHead } from "./head.ts"
import { type ByteSource, ConnectionLost } from "./source.ts"

/** How a body is delimited on the wire. */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; length: number }
  | { kind: "chunked" }
  /** Up to the end of the connection (responses only). */
  | { kind: "close" }

/** A body being read: chunks without framing, then `null`. After `null`, `trailers` is complete. */
export interface Body {
  next(): Buffer | null | Promise<Buffer | null>
  readonly trailers: Headers
  /** Read to its end, so that what follows on the connection is the next message. */
  readonly complete: boolean
}

/** The framing of a request (RFC 9112 §6), refusing whatever two readers could frame differently. */
export function frameRequest(head: RequestHead): Framing {
  const encodings = valuesOf(head.headers, "transfer-encoding")
  const length = contentLength(head.headers)
  if (encodings.length === 0) {
    return length === undefined || length === 0 ? { kind: "none" } : { kind: "length", length }
  }
  if (length !== undefined) throw new BadMessage("both Transfer-Encoding and Content-Length")
  if (encodings.length > 1 || encodings[0]?.toLowerCase() !== "chunked") {
    throw new BadMessage("a Transfer-Encoding other than chunked")
  }
  if (head.minor === 0) throw new BadMessage("Transfer-Encoding in HTTP/1.0")
  return { kind: "chunked" }
}

/** The framing of a final response to a request with `method`. */
export function frameResponse(head: ResponseHead, method: string): Framing {
  const encodings = valuesOf(head.headers, "transfer-encoding")
  const length = contentLength(head.headers)
  if (encodings.length > 0 && length !== undefined) throw new BadMessage("both Transfer-Encoding and Content-Length")
  if (method === "HEAD" || head.status === 204 || head.status === 304 || head.status < 200) return { kind: "none" }
  if (encodings.length > 0) {
    if (encodings.length > 1 || encodings[0]?.toLowerCase() !== "chunked") {
      throw new BadMessage("a Transfer-Encoding other than chunked")
    }
    return { kind: "chunked" }
  }
  if (length === undefined) return { kind: "close" }
  return length === 0 ? { kind: "none" } : { kind: "length", length }
}

function contentLength(headers: Headers): number | undefined {
  const value = onlyValue(headers, "content-length")
  if (value === undefined) return undefined
  // No leading zeros: some read them as octal.
  if (!/^(?:0|[1-9]\d{0,14})$/.test(value)) throw new BadMessage("a malformed Content-Length")
  return Number(value)
}

/** Read a body from the source in the given framing. */
export function readBody(source: ByteSource, framing: Framing): Body {
  switch (framing.kind) {
    case "none":
      return { next: () => null, trailers: [], complete: true }
    case "length":
      return new LengthBody(source, framing.length)
    case "chunked":
      return new ChunkedReader(source)
    case "close":
      return new ClosingBody(source)
  }
}

class LengthBody implements Body {
  readonly trailers: Headers = []
  readonly #source: ByteSource
  #left: number

  constructor(source: ByteSource, length: number) {
    this.#source = source
    this.#left = length
  }

  get complete(): boolean {
    return this.#left === 0
  }

  next(): Buffer | null | Promise<Buffer | null> {
    if (this.#left === 0) return null
    const chunk = this.#source.take()
    return chunk === undefined ? this.#source.next().then((late) => this.#accept(late)) : this.#accept(chunk)
  }

  #accept(chunk: Buffer | null): Buffer {
    if (chunk === null) throw new ConnectionLost("the body ended early")
    if (chunk.length <= this.#left) {
      this.#left -= chunk.length
      return chunk
    }
    const mine = chunk.subarray(0, this.#left)
    this.#source.putBack(chunk.subarray(this.#left))
    this.#left = 0
    return mine
  }
}

class ClosingBody implements Body {
  readonly trailers: Headers = []
  complete = false
  readonly #source: ByteSource

  constructor(source: ByteSource) {
    this.#source = source
  }

  async next(): Promise<Buffer | null> {
    const chunk = await this.#source.next()
    if (chunk === null) this.complete = true
    return chunk
  }
}
