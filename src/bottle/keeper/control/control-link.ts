import type { Duplex } from "node:stream"
import type {
  CallResult,
  FromSupervisor,
  SidecarEvent,
  SidecarName,
  SidecarStatus,
  ToSupervisor,
} from "../../../../sidecars/control.ts"
import { LineReader, writeLine } from "../../../lib/lines.ts"
import type { SidecarCalls } from "./calls.ts"
import { parseSidecarCall } from "./parse-call.ts"

/** Longest that the last words of the sidecars are waited for, in ms. */
const drainPatience = 5_000

type Numberless<T> = T extends { seq: number } ? Omit<T, "seq"> : never
export type Hello = Extract<FromSupervisor, { type: "hello" }>

type Call = Extract<FromSupervisor, { type: "call" }>

export interface ControlLinkEvents extends SidecarCalls {
  onState(status: SidecarStatus): void
  /** `n`: the supervisor counts its events, and sends one again that it does not know to be written. */
  onEvent(sidecar: SidecarName, event: SidecarEvent, n: number): void
  onClose(): void
}

/**
 * The keeper's end of the control channel. A message resolves with the acknowledged hash or rejects with the reason.
 * What `onEvent` has taken counts as written down, and the supervisor is told so.
 */
export class ControlLink {
  readonly #stream: Duplex
  /** Resolves when the channel has ended. */
  readonly closed: Promise<void>
  readonly #waiting = new Map<number, { resolve(hash: string): void; reject(error: Error): void }>()
  #seq = 0

  private constructor(stream: Duplex) {
    this.#stream = stream
    this.closed = new Promise((resolve) => stream.on("close", () => resolve()))
  }

  /** Wait for the supervisor's `hello`; rejects when the stream ends before it. */
  static open(stream: Duplex, events: ControlLinkEvents): Promise<{ link: ControlLink; hello: Hello }> {
    const link = new ControlLink(stream)
    return new Promise((resolve, reject) => {
      const reader = new LineReader()
      stream.on("data", (chunk: Buffer) => {
        let through = 0
        for (const line of reader.push(chunk)) {
          const message = JSON.parse(line) as FromSupervisor
          if (message.type === "hello") resolve({ link, hello: message })
          else link.#receive(message, events)
          if (message.type === "event") through = message.n
        }
        if (through > 0 && stream.writable)
          writeLine(stream, { type: "written", seq: 0, through } satisfies ToSupervisor)
      })
      stream.on("error", () => stream.destroy())
      stream.on("close", () => {
        const gone = new Error("the sidecars' supervisor is gone")
        reject(gone)
        for (const { reject: fail } of link.#waiting.values()) fail(gone)
        link.#waiting.clear()
        events.onClose()
      })
    })
  }

  send(message: Numberless<Exclude<ToSupervisor, { type: "written" | "reply" }>>): Promise<string> {
    const seq = ++this.#seq
    return new Promise((resolve, reject) => {
      if (!this.#stream.writable) return reject(new Error("the sidecars' supervisor is gone"))
      this.#waiting.set(seq, { resolve, reject })
      writeLine(this.#stream, { ...message, seq })
    })
  }

  /** Take what the sidecars have told and this end has not read yet. What hangs is waited for a while, what is gone is not. */
  async drain(): Promise<void> {
    await Promise.race([this.send({ type: "drain" }), Bun.sleep(drainPatience)]).catch(() => undefined)
  }

  close(): void {
    this.#stream.destroy()
  }

  #receive(message: Exclude<FromSupervisor, Hello>, events: ControlLinkEvents): void {
    switch (message.type) {
      case "event":
        events.onEvent(message.sidecar, message.event, message.n)
        break
      case "state":
        events.onState(message.sidecar)
        break
      case "ack":
        for (const status of message.sidecars ?? []) events.onState(status)
        this.#take(message.seq)?.resolve(message.hash)
        break
      case "nack":
        this.#take(message.seq)?.reject(new Error(message.error))
        break
      case "call":
        void this.#answer(message, events)
        break
    }
  }

  /** Every call has one answer; a handler that fails says nothing of why to those who asked for the agent. */
  async #answer({ sidecar, call, request }: Call, events: SidecarCalls): Promise<void> {
    const asked = parseSidecarCall(request)
    const malformed: CallResult = { kind: "refused", message: "The request is malformed or too long." }
    const failed: CallResult = { kind: "refused", message: "It could not be taken. Try again, or tell the operator." }
    const result = asked === undefined ? malformed : await events.onCall(sidecar, asked).catch(() => failed)
    if (this.#stream.writable)
      writeLine(this.#stream, { type: "reply", seq: 0, sidecar, call, result } satisfies ToSupervisor)
  }

  #take(seq: number) {
    const waiting = this.#waiting.get(seq)
    this.#waiting.delete(seq)
    return waiting
  }
}
