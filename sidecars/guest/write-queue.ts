import type { Socket } from "bun"

/** What Bun's sockets can do beyond their published type. */
export type FlowSocket<Data> = Socket<Data> & { pause(): void; resume(): void }

/** Bytes on their way into one socket: written at once when they fit, kept in order when they do not. */
export class WriteQueue {
  #waiting: Uint8Array[] = []
  #ending = false
  #closed = false
  #shut = false
  #onDrained: (() => void)[] = []
  readonly #socket: { write(bytes: Uint8Array): number; shutdown(): void }

  constructor(socket: { write(bytes: Uint8Array): number; shutdown(): void }) {
    this.#socket = socket
  }

  /** True when everything is with the kernel; false: hold further bytes back until `drained`. */
  write(bytes: Uint8Array): boolean {
    if (this.#closed || bytes.length === 0) return true
    if (this.#waiting.length > 0) {
      this.#waiting.push(bytes.slice())
      return false
    }
    const written = Math.max(0, this.#socket.write(bytes))
    if (written === bytes.length) return true
    this.#waiting.push(bytes.slice(written))
    return false
  }

  /** To be called on the socket's `drain`. */
  flush(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const written = Math.max(0, this.#socket.write(next))
      if (written < next.length) {
        this.#waiting[0] = next.subarray(written)
        return
      }
      this.#waiting.shift()
    }
    this.#settle()
  }

  /** Half-close once everything is written. */
  end(): void {
    if (this.#ending) return
    this.#ending = true
    if (this.#waiting.length === 0) this.#settle()
  }

  /** The socket is gone: nothing waits any longer. */
  close(): void {
    this.#closed = true
    this.#waiting = []
    this.#settle()
  }

  /** Resolves when nothing waits. */
  drained(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onDrained.push(resolve))
  }

  #settle(): void {
    if (this.#ending && !this.#closed && !this.#shut) {
      this.#shut = true
      this.#socket.shutdown()
    }
    for (const resolve of this.#onDrained.splice(0)) resolve()
  }
}
