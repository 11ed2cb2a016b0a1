import { PassThrough } from "node:stream"
import { type Body, frameRequest, readBody } from "../../../sidecars/egress/http/body.ts"
import { BadMessage, parseRequestHead, type RequestHead, readHeadLines } from "../../../sidecars/egress/http/head.ts"
import { ByteSource, ConnectionLost } from "../../../sidecars/egress/http/source.ts"
import type { Random } from "../tls/random.ts"
import { mutate } from "./property.ts"

const seeds = [
  "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
  "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n",
  "POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
  "PUT /x HTTP/1.1\r\nHost: h\r\ntransfer-encoding:chunked\r\nA:\t b \r\n\r\na\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
  "GET http://a.test/x HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
]
const spices = [
  ...[
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "/",
    "\\",
    "\x7f",
    "\xa0",
    "\x0b",
    "\x85",
    "0",
    "1",
  ],
  ...[
    "-1",
    "+5",
    "0x5",
    "5 ",
    "05",
    "1_0",
    "ffffffffffffffff",
    "chunked",
    "identity",
    "gzip, chunked",
    "HTTP/1.1",
    "HTTP/2.0",
  ],
  ...[
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding : chunked\r\n",
  ],
  ...[
    "Host: evil\r\n",
    " folded\r\n",
    "A\0: b\r\n",
    ": empty\r\n",
    "GET /no HTTP/1.1\r\nHost: h\r\n\r\n",
    "0\r\n\r\n",
    "x\r\n",
  ],
]

/** Bytes that are nearly HTTP. */
export function makeMessage(random: Random): Buffer {
  const text = random.pick(seeds) + (random.below(4) === 0 ? random.pick(seeds) : "")
  return Buffer.from(mutate(random, text, spices), "latin1")
}

export interface ReadRequest {
  head: RequestHead
  body: string
  /** Bytes of the input that this message took. */
  length: number
}

/**
 * The first request of these bytes as egress reads it, from slices as they may arrive; why not, when it is refused; or
 * `incomplete`, when more would have to come.
 */
export async function readAsEgress(slices: readonly Buffer[]): Promise<ReadRequest | "refused" | "incomplete"> {
  const stream = new PassThrough()
  const source = new ByteSource(stream)
  for (const slice of slices) stream.write(slice)
  stream.end()
  const length = slices.reduce((sum, slice) => sum + slice.length, 0)
  try {
    const lines = await readHeadLines(source, 64 * 1024)
    if (lines === null) return "incomplete"
    const head = parseRequestHead(lines)
    const body = readBody(source, frameRequest(head))
    const text = await readAll(body)
    return { head, body: text, length: length - (await rest(source)) }
  } catch (error) {
    if (error instanceof ConnectionLost) return "incomplete"
    if (error instanceof BadMessage) return error.message.endsWith("ended early") ? "incomplete" : "refused"
    throw error
  }
}

async function readAll(body: Body): Promise<string> {
  let text = ""
  for (let chunk = await body.next(); chunk !== null; chunk = await body.next()) text += chunk.toString("latin1")
  return text
}

async function rest(source: ByteSource): Promise<number> {
  let left = 0
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) left += chunk.length
  return left
}
