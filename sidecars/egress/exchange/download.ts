import type { Client } from "../front/client.ts"
import { type Body, frameResponse, readBody } from "../http/body.ts"
import { endToEnd, listMembers, safeTrailers, serialise } from "../http/fields.ts"
import { BadMessage, type Header, parseResponseHead, type ResponseHead, readHeadLines } from "../http/head.ts"
import { Outbox } from "../http/outbox.ts"
import { ConnectionLost } from "../http/source.ts"
import { codingOf, DecodedBody } from "../redact/decode.ts"
import { Redactor, redactText } from "../redact/redactor.ts"
import type { Scanner } from "../redact/scanner.ts"
import type { UpstreamConnection } from "../upstream/pool.ts"
import type { Permit } from "./judge.ts"
import type { Upload } from "./upload.ts"

/** What a download needs to know of its exchange. */
export interface DownloadContext {
  client: Client
  permit: Permit
  connection: UpstreamConnection
  upload: Upload
  /** HTTP/1.`minor` of the client. */
  minor: 0 | 1
  /** The client asked to close, or cannot do otherwise. */
  closing: boolean
  /** What to star out of the answer; absent: its bytes pass untouched. */
  scanner: Scanner | undefined
  headLimit: number
}

/** The answer of an upstream on its way to the client, with what became of it. */
export class Download {
  status = 0
  /** Bytes written to the client. */
  sent = 0
  redacted = 0
  /** Anything of the answer has been received, or told to the client. */
  begun = false
  told = false
  head: ResponseHead | undefined
  /** The client must be closed afterwards. */
  closes = false
  /** The upstream connection can carry another request. */
  reusable = false

  /**
   * Relay the answer up to its end. Returns the head of a 101 instead of relaying it. Throws BadMessage or
   * ConnectionLost when the upstream breaks off or is malformed.
   */
  async run(context: DownloadContext): Promise<ResponseHead | undefined> {
    const head = await this.#readFinalHead(context)
    this.head = head
    this.status = head.status
    context.upload.answered = true
    context.client.enter("busy")
    if (head.status === 101) return head
    const { permit, connection, upload, scanner } = context
    const framing = frameResponse(head, permit.facts.method)
    let body = readBody(connection.source, framing)
    const coding = scanner === undefined || framing.kind === "none" ? undefined : contentCoding(head)
    if (coding === "unknown") throw new BadMessage("a Content-Encoding that cannot be searched for secrets")
    const received = body
    if (coding !== undefined) body = new DecodedBody(body, coding)
    const chunked =
      context.minor === 1 && (coding !== undefined || framing.kind === "chunked" || framing.kind === "close")
    this.closes =
      context.closing ||
      (context.minor === 0 && framing.kind !== "length" && framing.kind !== "none") ||
      (permit.expectsContinue && upload.received === 0 && !upload.complete)
    await this.#relay(context, head, body, chunked, coding !== undefined)
    this.reusable = received.complete && framing.kind !== "close" && !asksToClose(head)
    return undefined
  }

  /** Relay interim answers; return the final one, or a 101. */
  async #readFinalHead(context: DownloadContext): Promise<ResponseHead> {
    for (;;) {
      const lines = await readHeadLines(context.connection.source, context.headLimit, () => {
        this.begun = true
      })
      if (lines === null) throw new ConnectionLost("the upstream closed before it answered")
      const head = parseResponseHead(lines)
      if (head.status >= 200 || head.status === 101) return head
      if (context.minor === 0) continue
      this.told = true
      await this.#write(context, serialise(statusLine(head), endToEnd(head.headers)))
    }
  }

  async #relay(
    context: DownloadContext,
    head: ResponseHead,
    body: Body,
    chunked: boolean,
    decoded: boolean,
  ): Promise<void> {
    const { client, scanner } = context
    const out = new Outbox(client.stream)
    const headText = serialise(statusLine(head), this.#fields(head, chunked, decoded))
    out.addText(redactText(scanner, headText, "latin1"))
    const redactor = scanner === undefined ? undefined : new Redactor(scanner)
    const add = (data: Buffer) => (chunked ? out.addChunk(data) : out.add(data))
    this.told = true
    for (;;) {
      let chunk = body.next()
      if (chunk instanceof Promise) {
        const waiting = out.flush()
        if (waiting !== undefined) await waiting
        chunk = await chunk
      }
      if (chunk === null) break
      add(redactor === undefined ? chunk : redactor.push(chunk))
      if (out.full) {
        const waiting = out.flush()
        if (waiting !== undefined) await waiting
      }
    }
    if (redactor !== undefined) {
      add(redactor.end())
      this.redacted = redactor.hits
    }
    if (chunked) {
      out.addText(redactText(scanner, `0\r\n${serialise("", safeTrailers(body.trailers))}`, "latin1"))
    }
    await out.flush()
    this.sent += out.sent
  }

  /** The answer's fields with the framing that the client gets. */
  #fields(head: ResponseHead, chunked: boolean, decoded: boolean): Header[] {
    let fields = endToEnd(head.headers)
    if (decoded) {
      fields = fields.filter(([name]) => !/^(?:content-(?:encoding|length|md5)|(?:content-|repr-)?digest)$/i.test(name))
    }
    if (chunked) fields.push(["Transfer-Encoding", "chunked"])
    if (this.closes) fields.push(["Connection", "close"])
    return fields
  }

  async #write(context: DownloadContext, text: string): Promise<void> {
    const out = new Outbox(context.client.stream)
    out.addText(redactText(context.scanner, text, "latin1"))
    await out.flush()
    this.sent += out.sent
  }
}

export const statusLine = (head: ResponseHead): string => `HTTP/1.1 ${head.status} ${head.reason}\r\n`

function contentCoding(head: ResponseHead): string | undefined {
  return codingOf(listMembers(head.headers, "content-encoding"))
}

function asksToClose(head: ResponseHead): boolean {
  return head.minor === 0 || listMembers(head.headers, "connection").includes("close")
}
