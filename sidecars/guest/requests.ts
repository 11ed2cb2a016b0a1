import type { UnixSocketListener } from "bun"
import { FrameKind, FrameReader } from "../../src/lib/frames.ts"
import { LineReader } from "../../src/lib/lines.ts"
import { dialInside } from "./dial.ts"
import { writeGuestFiles } from "./files.ts"
import type { Libc } from "./libc.ts"
import { parseRequest } from "./parse-request.ts"
import { listProcesses } from "./processes.ts"
import type { GuestAnswer, GuestRequest } from "./protocol.ts"
import { type Session, startSession } from "./session.ts"
import { type FlowSocket, WriteQueue } from "./write-queue.ts"

export interface GuestDeps {
  libc: () => Libc
  prove(request: Extract<GuestRequest, { op: "prove" }>): Promise<{ name: string; ok: boolean; detail: string }[]>
}

/** Bytes of input held for a process that does not read them. */
const mostQueued = 256 * 1024

/** Serve the keeper's requests on a Unix socket: on a connection one after the other, until one becomes a session. */
export function serveRequests(path: string, deps: GuestDeps): UnixSocketListener<Connection> {
  return Bun.listen<Connection>({
    unix: path,
    allowHalfOpen: true,
    socket: {
      open(socket) {
        socket.data = new Connection(socket as FlowSocket<Connection>, deps)
      },
      data: (socket, chunk) => socket.data.receive(chunk),
      drain: (socket) => socket.data.out.flush(),
      end: (socket) => socket.data.end(),
      close: (socket) => socket.data.close(),
      error: (socket) => socket.terminate(),
    },
  })
}

/** One connection of the keeper's. Whatever arrives on it ends at worst the connection. */
class Connection {
  readonly out: WriteQueue
  readonly #socket: FlowSocket<Connection>
  readonly #deps: GuestDeps
  readonly #lines = new LineReader()
  readonly #frames = new FrameReader()
  #mode: "requests" | "session" | "over" = "requests"
  #closed = false
  #session: Session | undefined
  /** Frames are acted on in order, one after the other. */
  #work: Promise<void> = Promise.resolve()
  #queued = 0

  constructor(socket: FlowSocket<Connection>, deps: GuestDeps) {
    this.#socket = socket
    this.#deps = deps
    this.out = new WriteQueue(socket)
  }

  receive(chunk: Uint8Array): void {
    try {
      let rest = chunk
      while (this.#mode === "requests" && rest.length > 0) {
        const end = rest.indexOf(10) + 1 || rest.length
        for (const line of this.#lines.push(rest.subarray(0, end))) this.#takeRequest(line)
        rest = rest.subarray(end)
      }
      if (this.#mode === "session") this.#takeFrames(rest)
    } catch {
      this.#socket.terminate()
    }
  }

  /** No more will come: the end of a session, but not of an answer that is still being worked out. */
  end(): void {
    if (this.#session !== undefined) this.close()
    else void this.#work.then(() => (this.#session === undefined ? this.out.end() : this.close()))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.out.close()
    this.#socket.end()
    // Not behind input that waits for its reader; and a session that is only being started is there after the work.
    if (this.#session !== undefined) void this.#session.hangUp()
    else void this.#work.then(() => this.#session?.hangUp())
  }

  #takeRequest(line: string): void {
    const request = parseRequest(line)
    if (typeof request === "string") this.#mode = "over"
    else if (request.op === "start" || request.op === "dial") this.#mode = "session"
    this.#run(() => this.#serve(request), line.length)
  }

  #takeFrames(chunk: Uint8Array): void {
    for (const frame of this.#frames.push(chunk)) {
      const isInput = frame.kind === FrameKind.data || frame.kind === FrameKind.eof
      // A signal overtakes input that the process does not read: it may be the one that ends the wait.
      if (isInput || this.#session === undefined)
        this.#run(async () => this.#session?.take(frame), frame.payload.length)
      else void this.#session.take(frame)
    }
  }

  #run(step: () => Promise<unknown>, bytes: number): void {
    this.#queued += bytes
    if (this.#queued > mostQueued) this.#socket.pause()
    this.#work = this.#work
      .then(step)
      .catch((error) => this.#answer({ ok: false, error: String(error) }))
      .then(() => {
        this.#queued -= bytes
        if (this.#queued <= mostQueued && !this.#closed) this.#socket.resume()
      })
  }

  async #serve(request: GuestRequest | string): Promise<void> {
    if (typeof request === "string") return this.#finish({ ok: false, error: request })
    switch (request.op) {
      case "files":
        await writeGuestFiles(request.files)
        return this.#answer({ ok: true })
      case "prove":
        return this.#answer({ ok: true, probes: await this.#deps.prove(request) })
      case "status":
        // Without the first process, which only reaps, and this one.
        return this.#answer({ ok: true, processes: countOthers() })
      case "start":
        return this.#start(request)
      case "dial":
        return this.#dial(request.port)
    }
  }

  #start(request: Extract<GuestRequest, { op: "start" }>): void {
    try {
      this.#session = startSession(request, this.out, this.#deps.libc)
    } catch (error) {
      this.#finish({ ok: false, error: error instanceof Error ? error.message : String(error) })
      return
    }
    // Output is delivered by the event loop, so the answer comes before the first frame.
    this.#answer({ ok: true, pid: this.#session.pid })
    void this.#session.finished.then(() => this.out.end())
  }

  async #dial(port: number): Promise<void> {
    this.#session = await dialInside(port, this.out, () => this.#answer({ ok: true }))
    void this.#session.finished.then(() => this.out.end())
  }

  #answer(answer: GuestAnswer): void {
    this.out.write(new TextEncoder().encode(`${JSON.stringify(answer)}\n`))
  }

  #finish(answer: GuestAnswer): void {
    this.#answer(answer)
    this.out.end()
  }
}

function countOthers(): number {
  return listProcesses().filter((entry) => !entry.zombie && entry.pid !== 1 && entry.pid !== process.pid).length
}
