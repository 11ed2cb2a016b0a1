import { LineReader, writeLine } from "../../src/lib/lines.ts"
import type { FromSidecar, SidecarCall, SidecarEvent, SidecarName, SidecarStatus, ToSidecar } from "../control.ts"
import { type ChildPlace, spawnChild } from "./spawn-child.ts"

/** First and longest wait before a sidecar that ended is started again, and how long it must live to reset, in ms. */
const backOff = { first: 20, longest: 5_000, reset: 10_000 }

/** Longest that a sidecar may take over a change, in ms: one that hangs is ended, and begins again with what is in force. */
const patience = 10_000

export type Numberless<T> = T extends { seq: number } ? Omit<T, "seq"> : never

export interface ChildOptions {
  name: SidecarName
  binary: string
  place: ChildPlace
  /** What brings a fresh process to the state in force; undefined while nothing is configured yet. */
  current(): Numberless<ToSidecar> | undefined
  onState(status: SidecarStatus): void
  onEvent(event: SidecarEvent): void
  /** It asks the keeper. */
  onCall(call: string, request: SidecarCall): void
  /** Its process ended; nobody waits for answers any more. */
  onEnd(): void
}

/**
 * One sidecar process, started again with back-off when it ends. A message is answered by the hash that the sidecar
 * acknowledged, or rejects with its reason; what was under way when the process ended rejects.
 */
export class SidecarChild {
  readonly #options: ChildOptions
  readonly #waiting = new Map<number, { resolve(hash: string): void; reject(error: Error): void }>()
  #process: Bun.Subprocess<"pipe", "pipe", "pipe"> | undefined
  #status: SidecarStatus
  #seq = 0
  #delay = backOff.first
  #stopped = false

  constructor(options: ChildOptions) {
    this.#options = options
    this.#status = { name: options.name, state: "starting", pid: 0, restarts: 0, policyHash: "" }
  }

  get status(): SidecarStatus {
    return { ...this.#status }
  }

  start(): void {
    const { name, binary, place } = this.#options
    const child = spawnChild(name, binary, place)
    const startedAt = performance.now()
    this.#process = child
    this.#update({ pid: child.pid })
    const read = this.#readAnswers(child).catch(() => child.kill("SIGKILL"))
    void this.#readComplaints(child)
    // Its last words first: they may say what it may not be given again (SECURITY 25).
    void Promise.all([child.exited, read]).then(([code]) => this.#ended(startedAt, code ?? -1))
    if (this.#options.current() !== undefined) this.#configureAgain()
  }

  /** Send one message; resolves with the acknowledged policy hash. */
  send(message: Numberless<ToSidecar>): Promise<string> {
    const child = this.#process
    if (child === undefined) return Promise.reject(new Error(`${this.#options.name} is not running`))
    const seq = ++this.#seq
    return new Promise<string>((resolve, reject) => {
      // A first start may be slow where many start at once; nobody's decision waits for it.
      const timer = message.type === "configure" ? undefined : setTimeout(() => this.#giveUp(child, seq), patience)
      const settle = <T>(done: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer)
          done(value)
        }
      }
      this.#waiting.set(seq, { resolve: settle(resolve), reject: settle(reject) })
      writeLine(child.stdin, { ...message, seq })
      child.stdin.flush()
    })
  }

  /** Tell it something that it does not acknowledge; nothing where it is not running. */
  post(message: Numberless<ToSidecar>): void {
    const child = this.#process
    if (child === undefined) return
    writeLine(child.stdin, { ...message, seq: 0 })
    child.stdin.flush()
  }

  /** Configure for the first time, or bring a restarted process to the state in force. */
  async configure(): Promise<string> {
    const message = this.#options.current()
    if (message === undefined) throw new Error("nothing to configure")
    const hash = await this.send(message)
    this.#update({ state: "up", policyHash: hash })
    return hash
  }

  noteHash(hash: string): void {
    this.#update({ policyHash: hash })
  }

  stop(): void {
    this.#stopped = true
    this.#process?.kill("SIGKILL")
  }

  /** What it has not acknowledged it must not do later: it is ended first, and only then is it said. */
  #giveUp(child: Bun.Subprocess<"pipe", "pipe", "pipe">, seq: number): void {
    child.kill("SIGKILL")
    const { reject } = this.#waiting.get(seq) ?? {}
    this.#waiting.delete(seq)
    const why = `${this.#options.name} ended: it did not answer within ${patience / 1000} seconds`
    void child.exited.then(() => reject?.(new Error(why)))
  }

  #configureAgain(): void {
    this.configure().catch((error: Error) => {
      this.#options.onEvent(event("error", { message: `configure: ${error.message}` }))
      this.#process?.kill("SIGKILL")
    })
  }

  async #readAnswers(child: Bun.Subprocess<"pipe", "pipe", "pipe">): Promise<void> {
    const reader = new LineReader()
    for await (const chunk of child.stdout) {
      for (const line of reader.push(chunk)) this.#answer(JSON.parse(line) as FromSidecar)
    }
  }

  #answer(message: FromSidecar): void {
    if (message.type === "event") {
      this.#options.onEvent(message.event)
      return
    }
    if (message.type === "call") {
      this.#options.onCall(message.call, message.request)
      return
    }
    const waiting = this.#waiting.get(message.seq)
    this.#waiting.delete(message.seq)
    if (message.type === "ack") waiting?.resolve(message.hash)
    else waiting?.reject(new Error(message.error))
  }

  /** What a sidecar writes to stderr is our own program's last words: one event a line, cut. */
  async #readComplaints(child: Bun.Subprocess<"pipe", "pipe", "pipe">): Promise<void> {
    const reader = new LineReader()
    for await (const chunk of child.stderr) {
      for (const line of reader.push(chunk)) this.#options.onEvent(event("error", { message: line.slice(0, 500) }))
    }
  }

  #ended(startedAt: number, code: number): void {
    this.#process = undefined
    for (const { reject } of this.#waiting.values()) reject(new Error(`${this.#options.name} ended`))
    this.#waiting.clear()
    this.#options.onEnd()
    if (this.#stopped) return
    if (performance.now() - startedAt > backOff.reset) this.#delay = backOff.first
    this.#update({ state: "restarting", pid: 0, restarts: this.#status.restarts + 1 })
    this.#options.onEvent(event("ended", { code, again_in_ms: this.#delay }))
    setTimeout(() => this.#stopped || this.start(), this.#delay)
    this.#delay = Math.min(this.#delay * 2, backOff.longest)
  }

  #update(change: Partial<SidecarStatus>): void {
    this.#status = { ...this.#status, ...change }
    this.#options.onState(this.status)
  }
}

function event(kind: string, fields: Record<string, unknown>): SidecarEvent {
  return { time: new Date().toISOString(), kind, ...fields }
}
