import { createServer, type Server, type Socket } from "node:net"
import { isReservedPort } from "../../../../sidecars/guest/protocol.ts"
import { BottleError } from "../../../lib/errors.ts"
import { encodeChunks, encodeFrame, FrameKind, FrameReader } from "../../../lib/frames.ts"
import type { Paths } from "../../../lib/paths.ts"
import { openSession } from "../../client.ts"
import { judgeHead, refusalPage } from "./judge-head.ts"

export interface ForwardWish {
  slug: string
  /** Inside. */
  port: number
  /** Here; 0: one that is free. */
  local: number
  /** Called for each connection that could not be joined, with why. */
  failed(why: string): void
}

export interface Forward {
  port: number
  close(): Promise<void>
}

/** Connections at a time; a page opens a few dozen. */
const mostConnections = 256
/** How long a client may be silent before the server inside is asked whether it speaks first, in ms. */
const quietMilliseconds = 250
/** How long a client that begins like HTTP may take over its request's head, in ms. */
const headPatience = 30_000

/**
 * Listen on 127.0.0.1 and join each connection to a port of a running bottle's loopback, until closed. Throws
 * `BottleError`: exit 2 for a port that leads to a sidecar, exit 1 for a local one that is taken.
 */
export async function startForward(paths: Paths, wish: ForwardWish): Promise<Forward> {
  const { local, port } = wish
  if (isReservedPort(port)) {
    throw new BottleError(`port ${port} leads out of the bottle, to a sidecar`, {
      code: "reserved-port",
      exit: "usage",
    })
  }
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.on("close", () => open.delete(socket))
    socket.on("error", () => socket.destroy())
    void serve(socket, listeningPort(server), paths, wish)
  })
  server.maxConnections = mostConnections
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(taken(local, error)))
    server.listen(local, "127.0.0.1", resolve)
  })
  return {
    port: listeningPort(server),
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function serve(socket: Socket, here: number, paths: Paths, { slug, port, failed }: ForwardWish): Promise<void> {
  const gate = new HeadGate(here)
  // A client that waits for the server to speak first is let through to it, and is judged when it speaks.
  const first = await firstBytes(socket)
  const passed = first === undefined ? Buffer.alloc(0) : await readHead(socket, gate, first)
  if (passed === undefined) return
  try {
    carry(socket, await openSession(paths, slug, { op: "forward", port }), passed, gate)
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error))
    socket.destroy()
  }
}

/** Holds back what a client sends until it is judged. */
class HeadGate {
  readonly #port: number
  #head: Buffer = Buffer.alloc(0)
  #open = false

  constructor(port: number) {
    this.#port = port
  }

  /** What may go on, undefined while that is not known, or why nothing may. */
  push(chunk: Buffer): Buffer | undefined | { why: string } {
    if (this.#open) return chunk
    this.#head = Buffer.concat([this.#head, chunk])
    const verdict = judgeHead(this.#head, this.#port)
    if (verdict.kind === "more") return undefined
    if (verdict.kind === "refuse") return { why: verdict.why }
    this.#open = true
    return this.#head
  }
}

/** Undefined: it says nothing yet. */
function firstBytes(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (result: Buffer | undefined) => {
      clearTimeout(timer)
      socket.off("data", done).pause()
      resolve(result)
    }
    const timer = setTimeout(() => done(undefined), quietMilliseconds)
    socket.on("data", done)
  })
}

/** The first bytes that may go on; undefined: none may, and the client has its answer. */
function readHead(socket: Socket, gate: HeadGate, first: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (result: Buffer | undefined) => {
      clearTimeout(late)
      socket.off("data", take).off("close", gone).pause()
      resolve(result)
    }
    const gone = () => done(undefined)
    const late = setTimeout(() => {
      socket.destroy()
      done(undefined)
    }, headPatience)
    const take = (chunk: Buffer) => {
      const passed = gate.push(chunk)
      if (passed === undefined) return
      if (passed instanceof Uint8Array) return done(passed)
      refuse(socket, passed.why)
      done(undefined)
    }
    socket.on("data", take).on("close", gone)
    socket.resume()
    // Last: if nothing more is wanted, the socket is left paused.
    take(first)
  })
}

function refuse(socket: Socket, why: string): void {
  socket.end(refusalPage(why), () => socket.destroy())
}

/** Bytes here, frames there, each no faster than the other takes them. */
function carry(socket: Socket, session: Socket, first: Buffer, gate: HeadGate): void {
  const reader = new FrameReader()
  const end = () => {
    socket.destroy()
    session.destroy()
  }
  // Either may have gone while the other was asked.
  if (socket.destroyed || session.destroyed) {
    end()
    return
  }
  const send = (chunk: Buffer) => {
    const free = encodeChunks(FrameKind.data, chunk).reduce((room, frame) => session.write(frame) && room, true)
    if (!free) socket.pause()
  }
  session.on("data", (chunk: Buffer) => {
    try {
      for (const frame of reader.push(chunk)) {
        if (frame.kind === FrameKind.data && !socket.write(Buffer.from(frame.payload))) session.pause()
        else if (frame.kind === FrameKind.eof) socket.end()
      }
    } catch {
      end()
    }
  })
  session.on("drain", () => socket.resume()).on("error", end)
  session.on("close", () => (socket.writableEnded ? undefined : socket.end()))
  socket.on("drain", () => session.resume()).on("close", end)
  const noMore = () => session.write(encodeFrame(FrameKind.eof, ""))
  if (socket.readableEnded) noMore()
  else socket.on("end", noMore)
  socket.on("data", (chunk: Buffer) => {
    const passed = gate.push(chunk)
    if (passed === undefined) return
    if (passed instanceof Uint8Array) return send(passed)
    session.destroy()
    refuse(socket, passed.why)
  })
  if (first.length > 0) send(first)
  socket.resume()
  session.resume()
}

function listeningPort(server: Server): number {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

function taken(port: number, error: NodeJS.ErrnoException): BottleError {
  return new BottleError(`127.0.0.1:${port} cannot be listened on: ${error.code}`, {
    code: "port-taken",
    exit: "failed",
    hint: "choose another: bottle forward SLUG PORT:LOCAL",
    cause: error,
  })
}
