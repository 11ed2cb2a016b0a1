import { createServer as createTcpServer, type Server, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { createServer as createTlsServer } from "node:tls"
import type { Authority } from "./authority.ts"
import { type Message, MessageReader } from "./messages.ts"

export interface UpstreamRequest extends Message {
  method: string
  target: string
  /** How many requests came before on the same connection. */
  earlier: number
}

/** Answers a request by writing bytes; the connection is kept unless it ends it. */
export type Reply = (request: UpstreamRequest, stream: Duplex) => unknown

export interface Upstream {
  port: number
  requests: UpstreamRequest[]
  /** Connections accepted so far, and those still open. */
  accepted: number
  open: Set<Duplex>
  close(): Promise<void>
}

export interface UpstreamOptions {
  authority?: Authority
  /** The certificate's host; without one it speaks plain HTTP. */
  host?: string
  reply: Reply
  /** Takes the stream over right after a head; return true for that. */
  onHead?: (lines: string[], stream: Duplex, reader: MessageReader) => boolean | Promise<boolean>
}

/** A server on loopback that answers byte for byte as a test says. */
export async function startUpstream(options: UpstreamOptions): Promise<Upstream> {
  const upstream: Upstream = { port: 0, requests: [], accepted: 0, open: new Set(), close }
  const serve = (stream: Duplex) => {
    upstream.accepted++
    upstream.open.add(stream)
    stream.on("close", () => upstream.open.delete(stream))
    stream.on("error", () => stream.destroy())
    serveStream(stream).catch(() => stream.destroy())
  }

  async function serveStream(stream: Duplex): Promise<void> {
    const reader = new MessageReader(stream)
    for (let earlier = 0; ; earlier++) {
      if (options.onHead !== undefined) {
        const { lines } = await reader.head()
        if (await options.onHead(lines, stream, reader)) return
        continue
      }
      const message = await reader.message({ request: true })
      const [method = "", target = ""] = message.lines[0]?.split(" ") ?? []
      const request = { ...message, method, target, earlier }
      upstream.requests.push(request)
      await options.reply(request, stream)
    }
  }

  const server: Server =
    options.host === undefined || options.authority === undefined
      ? createTcpServer(serve)
      : (createTlsServer({ ...options.authority.issue(options.host), ALPNProtocols: ["http/1.1"] }, serve) as Server)
  server.on("connection", (socket: Socket) => socket.on("error", () => socket.destroy()))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  upstream.port = (server.address() as { port: number }).port

  async function close(): Promise<void> {
    for (const stream of upstream.open) stream.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return upstream
}

/** A plain answer with a length. */
export function respond(stream: Duplex, body: string | Buffer, fields: string[] = [], status = "200 OK"): void {
  const bytes = Buffer.from(body as string)
  const head = [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${bytes.length}`].join("\r\n")
  stream.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), bytes]))
}

/** Gives back the head it got, as text. */
export const echoHead: Reply = (request, stream) => respond(stream, request.lines.join("\n"))
