import type { Duplex } from "node:stream"
import { send } from "../http/send.ts"
import { ByteSource } from "../http/source.ts"

/** What a client connection is doing, which decides how long it may go on doing it. */
export type ClientState = "handshake" | "idle" | "head" | "upload" | "busy" | "closing"

/** Bytes that are read and thrown away, so that a client that still sends gets to read our answer. */
const maxDiscard = 1024 * 1024

/** One connection of an agent, plain or inside a tunnel: where requests are read from and answers written to. */
export class Client {
  readonly stream: Duplex
  readonly source: ByteSource
  /** Called when the client goes away while an exchange is under way. */
  onGone: (() => void) | undefined
  #state: ClientState = "idle"
  #since: number
  readonly #now: () => number

  constructor(stream: Duplex, now: () => number) {
    this.stream = stream
    this.source = new ByteSource(stream)
    this.#now = now
    this.#since = now()
    const gone = () => this.onGone?.()
    stream.on("end", gone)
    stream.on("close", gone)
  }

  get state(): ClientState {
    return this.#state
  }

  /** Enter a state; its time starts now. */
  enter(state: ClientState): void {
    this.#state = state
    this.#since = this.#now()
  }

  /** How long it has been in its state, in ms. */
  get age(): number {
    return this.#now() - this.#since
  }

  /** Write an answer of ours in latin1 text. Never throws: a client that is gone needs none. */
  async answer(text: string): Promise<void> {
    try {
      await send(this.stream, text)
    } catch {
      this.stream.destroy()
    }
  }

  /** End the connection so that what was written arrives: no more is sent, a little more is read and dropped. */
  async close(): Promise<void> {
    this.enter("closing")
    try {
      this.stream.end()
      let discarded = 0
      for (let chunk = await this.source.next(); chunk !== null; chunk = await this.source.next()) {
        discarded += chunk.length
        if (discarded > maxDiscard) break
      }
    } catch {
      // It is gone already.
    }
    this.stream.destroy()
  }
}
