import { spawn } from "node:child_process"
import { Duplex } from "node:stream"
import { BottleError } from "../../../lib/errors.ts"
import { describeEndpoint, type Endpoint } from "../endpoint.ts"
import type { Turnstile } from "./turnstile.ts"

export type SshEndpoint = Extract<Endpoint, { kind: "ssh" }>

const mostComplaint = 4096
/** A connection that has said nothing for so long is slow at answering, and no longer in its handshake; ms. */
const longestHandshake = 4_000

/**
 * The command line: words only, nothing of it read by a shell on this side. Options before `--`, so that no address is
 * taken for one; what comes after the host is a fixed command, whose one changeable word `parseHost` has looked at.
 */
export function sshArgv(endpoint: SshEndpoint): string[] {
  const options = ["BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=15", "ServerAliveCountMax=4"]
  return [
    ...["-T", ...options.flatMap((option) => ["-o", option])],
    ...(endpoint.user === undefined ? [] : ["-l", endpoint.user]),
    ...(endpoint.port === undefined ? [] : ["-p", String(endpoint.port)]),
    ...["--", endpoint.host, "docker"],
    ...(endpoint.path === undefined ? [] : ["--host", `unix://${endpoint.path}`]),
    ...["system", "dial-stdio"],
  ]
}

/**
 * One `ssh`, whose stdin and stdout are joined to the engine's socket on the other side, as a stream that can stand
 * where an http client wants a socket.
 */
export class SshStream extends Duplex {
  readonly #endpoint: SshEndpoint
  #child: ReturnType<typeof start> | undefined
  #complaint = ""
  #waiting: (() => void) | undefined
  #leave: () => void = () => undefined
  #hasRead = false
  #isHeld = true

  constructor(endpoint: SshEndpoint, handshakes: Turnstile) {
    super({ allowHalfOpen: true })
    this.#endpoint = endpoint
    void handshakes.enter().then((leave) => {
      if (this.destroyed) return leave()
      this.#leave = leave
      setTimeout(leave, longestHandshake).unref()
      this.#begin()
    })
  }

  #begin(): void {
    const child = start(this.#endpoint)
    this.#child = child
    if (!this.#isHeld) this.unref()
    child.on("error", (error: NodeJS.ErrnoException) => {
      this.destroy(error.code === "ENOENT" ? noSsh() : error)
    })
    child.stderr.on("data", (bytes: Buffer) => {
      this.#complaint = (this.#complaint + bytes.toString("utf8")).slice(-mostComplaint)
    })
    child.stdin.on("error", () => undefined)
    child.stdout.on("data", (bytes: Buffer) => {
      this.#hasRead = true
      this.#leave()
      if (!this.push(bytes)) child.stdout.pause()
    })
    // Only after its stderr is read to its end is it known why.
    child.on("close", (code) => {
      if (this.#hasRead) this.push(null)
      else this.destroy(explain(this.#endpoint, code, this.#complaint))
    })
    const write = this.#waiting
    this.#waiting = undefined
    write?.()
  }

  override _read(): void {
    this.#child?.stdout.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { stdin } = this.#child ?? {}
    if (stdin === undefined) this.#waiting = () => this._write(chunk, _encoding, done)
    else if (stdin.destroyed || stdin.write(chunk)) done()
    else {
      const go = () => {
        stdin.off("drain", go).off("close", go)
        done()
      }
      stdin.on("drain", go).on("close", go)
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#child === undefined) {
      this.#waiting = () => this._final(done)
      return
    }
    this.#child.stdin.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#leave()
    this.#child?.kill("SIGTERM")
    done(error)
  }

  /** Whether this connection alone keeps the process alive; idle ones do not. */
  ref(): this {
    this.#isHeld = true
    this.#child?.ref()
    return this
  }

  unref(): this {
    this.#isHeld = false
    this.#child?.unref()
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setTimeout(): this {
    return this
  }
}

const start = (endpoint: SshEndpoint) => spawn("ssh", sshArgv(endpoint), { stdio: ["pipe", "pipe", "pipe"], cwd: "/" })

/** Why no connection came to be, in one line, with what to do. What ssh printed is another machine's word. */
function explain(endpoint: SshEndpoint, code: number | null, complaint: string): BottleError {
  const where = describeEndpoint(endpoint)
  const lines = complaint.split("\n").map((line) => line.replace(/\p{C}/gu, "").trim())
  const said = lines.filter(Boolean).at(-1)?.slice(0, 200)
  const target = `${endpoint.user === undefined ? "" : `${endpoint.user}@`}${endpoint.host}`
  const port = endpoint.port === undefined ? "" : `-p ${endpoint.port} `
  const failure = (message: string, hint: string) =>
    new BottleError(`${message}${said === undefined ? "" : ` (${said})`}`, {
      code: "docker-ssh",
      exit: "missingPart",
      hint,
    })
  if (code === 255) return failure(`ssh cannot reach the engine at ${where}`, remedyFor(complaint, `${port}${target}`))
  if (code === 127) {
    return failure(`there is no docker command at ${where}`, "install the docker command there: ssh starts it")
  }
  return failure(`the docker command at ${where} reaches no engine`, `try: ssh ${port}${target} docker version`)
}

/** Batch mode asks nothing: what would have been asked has to be settled by hand, once. */
function remedyFor(complaint: string, target: string): string {
  if (/host key verification failed/i.test(complaint)) return `look at its host key once by hand: ssh ${target}`
  if (/permission denied/i.test(complaint)) return `give it your key, or your agent's: ssh ${target} must ask nothing`
  return `ssh ${target} must work by itself and ask nothing`
}

const noSsh = (): BottleError =>
  new BottleError("there is no ssh on this machine", {
    code: "docker-ssh",
    exit: "missingPart",
    hint: "install the OpenSSH client, or name an engine by tcp:// or unix://",
  })
