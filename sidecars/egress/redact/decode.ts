import type { Transform } from "node:stream"
import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib"
import type { Body } from "../http/body.ts"
import type { Headers } from "../http/head.ts"
import { send } from "../http/send.ts"
import { ByteSource, ConnectionLost } from "../http/source.ts"

/** Content codings that can be taken off to look inside. */
const decodable = new Set(["gzip", "x-gzip", "br", "deflate"])

/** A body may not grow beyond this when decoded; it streams, so the limit guards time, not memory. */
export const maxDecodedBytes = 4 * 1024 ** 3

/**
 * What has to be taken off a response to look inside: `undefined` nothing, `"unknown"` something that we cannot.
 * Several codings on top of each other count as unknown.
 */
export function codingOf(encodings: readonly string[]): string | undefined {
  const codings = encodings.filter((coding) => coding !== "identity")
  if (codings.length === 0) return undefined
  const only = codings[0] ?? ""
  return codings.length === 1 && decodable.has(only) ? only : "unknown"
}

/** The Accept-Encoding that goes upstream where the answer must be readable to us. */
export function cutAcceptEncoding(value: string): string {
  const kept = value.split(",").filter((member) => {
    const coding = (member.split(";")[0] ?? "").trim().toLowerCase()
    return decodable.has(coding) || coding === "identity"
  })
  return kept.length === 0 ? "identity" : kept.map((member) => member.trim()).join(", ")
}

/** The body with its coding taken off, at the reader's pace. */
export class DecodedBody implements Body {
  readonly #inner: Body
  readonly #coding: string
  #output: ByteSource | undefined
  #first: Buffer | null | undefined
  #size = 0
  #failure: Error | undefined
  complete = false

  constructor(inner: Body, coding: string) {
    this.#inner = inner
    this.#coding = coding
  }

  get trailers(): Headers {
    return this.#inner.trailers
  }

  async next(): Promise<Buffer | null> {
    if (this.#output === undefined) {
      // Raw and wrapped deflate are told apart by their first two bytes.
      this.#first = await atLeastTwoBytes(this.#inner)
      if (this.#first === null) {
        this.complete = true
        return null
      }
      const decoder = createDecoder(this.#coding, this.#first)
      this.#output = new ByteSource(decoder)
      void this.#feed(decoder, this.#first)
    }
    try {
      const chunk = await this.#output.next()
      if (chunk === null) this.complete = this.#inner.complete
      this.#size += chunk?.length ?? 0
      if (this.#size > maxDecodedBytes) throw new ConnectionLost("the decoded body is too large")
      return chunk
    } catch (error) {
      this.#output.stream.destroy()
      throw this.#failure ?? error
    }
  }

  async #feed(decoder: Transform, first: Buffer): Promise<void> {
    try {
      for (let chunk: Buffer | null = first; chunk !== null; chunk = await this.#inner.next()) {
        await send(decoder, chunk)
      }
      decoder.end()
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      decoder.destroy()
    }
  }
}

async function atLeastTwoBytes(body: Body): Promise<Buffer | null> {
  const first = await body.next()
  if (first === null || first.length >= 2) return first
  const second = await body.next()
  return second === null ? first : Buffer.concat([first, second])
}

function createDecoder(coding: string, first: Buffer): Transform {
  if (coding === "br") return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH })
  const options = { flush: constants.Z_SYNC_FLUSH }
  if (coding !== "deflate") return createGunzip(options)
  const [cmf = 0, flags = 0] = first
  const wrapped = (cmf & 0x0f) === 8 && ((cmf << 8) | flags) % 31 === 0
  return wrapped ? createInflate(options) : createInflateRaw(options)
}
