import { Duplex } from "node:stream"
import type { Engine } from "./engine.ts"

/** Each piece of a program's output has one: which stream it is of, three bytes of nothing, and its length. */
const headerBytes = 8
const mostComplaint = 2048

export interface ExecOrder {
  container: string
  user: string
  argv: readonly string[]
}

/** Start a program in a running container and be joined to its stdin and stdout. */
export async function openExec(engine: Engine, order: ExecOrder): Promise<ProgramStream> {
  const exec = await engine.getContainer(order.container).exec({
    ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false, Privileged: false },
    User: order.user,
    Cmd: [...order.argv],
  })
  return new ProgramStream(await exec.start({ hijack: true, stdin: true, Tty: false }))
}

/**
 * Be joined to stdin and stdout of a container's own program, which is about to be started: what it costs is one request, where a
 * program beside it costs the engine 50 to 100 ms (measured). `StdinOnce` of the container ends its stdin with this stream.
 */
export async function openFirst(engine: Engine, container: string): Promise<ProgramStream> {
  const every = { stream: true, stdin: true, stdout: true, stderr: true } as const
  const stream = new ProgramStream((await engine.getContainer(container).attach({ ...every, hijack: true })) as Duplex)
  // It may end before anybody looks at it, as when the container does not start.
  return stream.on("error", () => stream.destroy())
}

/**
 * The raw connection of an exec or a container as its program's stdin and stdout: pieces of stdout are taken out of the engine's
 * framing, what comes on stderr is kept as `complaint`. Reading no faster than the reader wants holds the program back.
 */
export class ProgramStream extends Duplex {
  readonly #raw: Duplex
  #header = Buffer.alloc(0)
  #left = 0
  #isOutput = false
  #complaint = ""

  constructor(raw: Duplex) {
    // The program's last output is the end of it: like a socket's peer that is gone, it takes no more input.
    super({ allowHalfOpen: false })
    this.#raw = raw
    raw.on("data", (chunk: Buffer) => this.#take(chunk))
    raw.on("end", () => this.push(null))
    raw.on("error", (error) => this.destroy(error))
    raw.on("close", () => {
      if (!this.readableEnded && !this.destroyed) this.push(null)
    })
  }

  /** First words on the program's stderr. */
  get complaint(): string {
    return this.#complaint.trim()
  }

  override _read(): void {
    this.#raw.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#raw.destroyed || this.#raw.write(chunk)) {
      done()
      return
    }
    const go = () => {
      this.#raw.off("drain", go).off("close", go)
      done()
    }
    this.#raw.on("drain", go).on("close", go)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#raw.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#raw.destroy()
    done(error)
  }

  #take(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#left === 0) {
        const missing = headerBytes - this.#header.length
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)])
        rest = rest.subarray(missing)
        if (this.#header.length < headerBytes) return
        this.#isOutput = this.#header[0] === 1
        this.#left = this.#header.readUInt32BE(4)
        this.#header = Buffer.alloc(0)
        continue
      }
      const piece = rest.subarray(0, this.#left)
      this.#left -= piece.length
      rest = rest.subarray(piece.length)
      if (!this.#isOutput) this.#complaint = (this.#complaint + piece.toString("utf8")).slice(0, mostComplaint)
      else if (!this.push(piece)) this.#raw.pause()
    }
  }
}
