import { createHash, type Hash } from "node:crypto"
import { stripHeaders } from "../../../src/policy/credentials.ts"
import type { Client } from "../front/client.ts"
import { type Body, readBody } from "../http/body.ts"
import { safeTrailers, serialise } from "../http/fields.ts"
import { BadMessage, type Header } from "../http/head.ts"
import { Outbox } from "../http/outbox.ts"
import type { UpstreamConnection } from "../upstream/pool.ts"
import type { Permit } from "./judge.ts"

/** The sending of one request: its head, then its body as the client sends it. */
export class Upload {
  /** Bytes of body taken from the client so far. */
  received = 0
  /** The client's framing was broken on the way. */
  fault: BadMessage | undefined
  /** Settles when nothing more will be sent; never rejects. */
  readonly ended: Promise<void>
  /** The answer has begun: the client may take its time over the rest. */
  answered = false
  /** All of it has been written upstream. */
  finished = false
  readonly #body: Body
  /** Of a request that passed once: what was sent is on record. */
  readonly #hash: Hash | undefined
  #failed = false

  constructor(client: Client, permit: Permit, connection: UpstreamConnection) {
    const { source } = client
    this.#body = readBody(source, permit.framing)
    this.#hash = permit.once === undefined ? undefined : createHash("sha256")
    this.ended = this.#run(client, permit, connection).catch((error: unknown) => {
      this.#failed = true
      if (error instanceof BadMessage) this.fault = error
      // A client that breaks off takes its request with it; an upstream that stops reading may still answer.
      if (!connection.source.ended && (source.ended || this.fault !== undefined)) connection.stream.destroy()
    })
  }

  /** Everything was sent, and the client's next byte is its next request. */
  get complete(): boolean {
    return this.#body.complete && !this.#failed
  }

  /** SHA-256 (hex) of the body, where it is kept on record. */
  get sha256(): string | undefined {
    return this.#hash?.copy().digest("hex")
  }

  async #run(client: Client, permit: Permit, connection: UpstreamConnection): Promise<void> {
    const out = new Outbox(connection.stream)
    out.addText(serialise(requestLine(permit, connection), requestFields(permit, connection)))
    const chunked = permit.framing.kind === "chunked"
    for (;;) {
      let chunk = this.#body.next()
      if (chunk instanceof Promise) {
        await out.flush()
        const waitsForUs = permit.expectsContinue && this.received === 0
        if (!waitsForUs && !this.answered) client.enter("upload")
        chunk = await chunk
        client.enter("busy")
      }
      if (chunk === null) break
      this.received += chunk.length
      this.#hash?.update(chunk)
      if (chunked) out.addChunk(chunk)
      else out.add(chunk)
      if (out.full) await out.flush()
    }
    if (chunked) out.addText(`0\r\n${serialise("", trailersOf(this.#body, permit))}`)
    await out.flush()
    this.finished = true
  }
}

/** A field that the head may not carry may not come behind the body either. */
function trailersOf(body: Body, permit: Permit): readonly Header[] {
  return stripHeaders(safeTrailers(body.trailers), permit.route).headers
}

function requestLine(permit: Permit, connection: UpstreamConnection): string {
  const { host, port } = permit.facts
  const origin = connection.viaProxy === undefined ? "" : `http://${host}${port === 80 ? "" : `:${port}`}`
  return `${permit.facts.method} ${origin}${permit.wireTarget} HTTP/1.1\r\n`
}

/** The judged fields and the ones of this hop. A Content-Length is in its place among the judged ones. */
function requestFields(permit: Permit, connection: UpstreamConnection): readonly Header[] {
  const fields: Header[] = []
  if (permit.framing.kind === "chunked") fields.push(["Transfer-Encoding", "chunked"])
  if (permit.websocketKey !== undefined) fields.push(["Connection", "Upgrade"], ["Upgrade", "websocket"])
  if (permit.acceptsTrailers) fields.push(["Connection", "TE"], ["TE", "trailers"])
  const authorization = connection.viaProxy?.authorization
  if (authorization !== undefined) fields.push(["Proxy-Authorization", authorization])
  return fields.length === 0 ? permit.headers : [...permit.headers, ...fields]
}
