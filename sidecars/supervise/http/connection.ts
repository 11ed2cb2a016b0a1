import type { Socket } from "node:net"
import { send } from "../../egress/http/send.ts"
import { ByteSource } from "../../egress/http/source.ts"
import type { Limits } from "../limits.ts"
import { type Phases, readRequest } from "./read-request.ts"

export interface HttpRequest {
  method: string
  target: string
  headers: readonly (readonly [name: string, value: string])[]
  body: Uint8Array
  /** The connection is gone. */
  signal: AbortSignal
}

export type Handler = (request: HttpRequest) => Promise<Response>

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  202: "Accepted",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
}

/**
 * Serve the requests of one connection, one after the other, until either side is done with it. Every wait for the
 * client has its time; an answer may take as long as it wants. Never rejects.
 */
export async function serveConnection(socket: Socket, limits: Limits, handle: Handler): Promise<void> {
  const source = new ByteSource(socket)
  const gone = new AbortController()
  const timer = new Deadline(socket)
  socket.on("close", () => {
    timer.off()
    gone.abort(new Error("the connection is gone"))
  })
  const phases: Phases = {
    head: () => timer.set(limits.headTime),
    body: () => timer.set(limits.bodyTime),
    done: () => timer.off(),
  }
  const put = async (bytes: Buffer | string) => {
    timer.set(readingTime)
    await send(socket, bytes)
    timer.off()
  }
  try {
    for (let keep = true; keep; ) {
      timer.set(limits.idleTime)
      const read = await readRequest(source, limits, phases, () => void send(socket, "HTTP/1.1 100 Continue\r\n\r\n"))
      if (read.kind === "end") break
      if (read.kind === "bad") {
        await writeResponse(put, plain(read.status, read.why), false)
        break
      }
      const { method, target, headers } = read.head
      const answer = await handle({ method, target, headers, body: read.body, signal: gone.signal })
      keep = read.keep
      await writeResponse(put, answer, keep)
    }
    socket.end()
    // What is still on its way is read away: a client that sends learns its answer only when it is through.
    source.detach()
    socket.resume()
    timer.set(limits.headTime)
  } catch {
    // The client went away, or did what ends its connection at worst.
    socket.destroy()
  }
}

/** Ends a connection whose client lets us wait. */
class Deadline {
  readonly #socket: Socket
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  set(ms: number): void {
    this.off()
    if (!this.#socket.destroyed) this.#timer = setTimeout(() => this.#socket.destroy(), ms)
  }

  off(): void {
    clearTimeout(this.#timer)
  }
}

/** Words for a program, and for whoever reads its log. */
export function plain(status: number, why: string): Response {
  return new Response(`${why}\n`, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } })
}

/** How long a client may take to read what is ready for it, in ms. */
const readingTime = 60_000

async function writeResponse(
  put: (bytes: Buffer | string) => Promise<void>,
  response: Response,
  keep: boolean,
): Promise<void> {
  const streams = response.headers.get("content-type")?.startsWith("text/event-stream") === true
  const whole = streams ? undefined : Buffer.from(await response.arrayBuffer())
  const fields = [...response.headers].filter(([name]) => !["connection", "content-length"].includes(name))
  const head = [
    `HTTP/1.1 ${response.status} ${reasons[response.status] ?? "Other"}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
    ...(whole === undefined ? ["transfer-encoding: chunked"] : [`content-length: ${whole.length}`]),
    ...(keep ? [] : ["connection: close"]),
  ]
  await put(`${head.join("\r\n")}\r\n\r\n`)
  if (whole !== undefined) {
    if (whole.length > 0) await put(whole)
    return
  }
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    await put(chunk(part.value))
  }
  await put("0\r\n\r\n")
}

function chunk(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")])
}
