import type { Duplex } from "node:stream"
import { ByteSource } from "../http/source.ts"

/** Idle connections kept for one target, and for how long, in ms. */
const maxIdle = 64
const idleTime = 30_000
/** How recently a connection must have been used to carry what cannot be sent twice. */
const freshTime = 2_000

/** One connection to an upstream, used by one exchange at a time. */
export class UpstreamConnection {
  readonly stream: Duplex
  readonly source: ByteSource
  readonly key: string
  /** Requests go in absolute-form, with these credentials, because the other end is a proxy. */
  readonly viaProxy: { authorization: string | undefined } | undefined
  idleSince = 0
  generation = 0

  constructor(stream: Duplex, key: string, viaProxy?: { authorization: string | undefined }) {
    this.stream = stream
    this.key = key
    this.viaProxy = viaProxy
    this.source = new ByteSource(stream)
  }

  get usable(): boolean {
    return !this.stream.destroyed && !this.source.ended && this.source.held === 0
  }
}

/** Idle upstream connections by target. A connection on which anything arrives while idle is not used again. */
export class UpstreamPool {
  readonly #idle = new Map<string, UpstreamConnection[]>()
  readonly #now: () => number
  #generation = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Which policy it serves. A connection dialled under another one is not kept. */
  get generation(): number {
    return this.#generation
  }

  /** The most recently used idle connection. With `fresh`, only one that was used a moment ago. */
  take(key: string, fresh: boolean): UpstreamConnection | undefined {
    const idle = this.#idle.get(key)
    const limit = fresh ? freshTime : idleTime
    for (let last = idle?.pop(); last !== undefined; last = idle?.pop()) {
      const age = this.#now() - last.idleSince
      if (last.usable && age < limit) return last
      if (last.usable && age < idleTime) {
        // Too old for this request, good for another; everything below it is older still.
        idle?.push(last)
        return undefined
      }
      last.stream.destroy()
    }
    return undefined
  }

  /** Keep a connection whose exchange is complete on both sides. */
  give(connection: UpstreamConnection): void {
    const idle = this.#idle.get(connection.key) ?? []
    if (!connection.usable || connection.generation !== this.#generation || idle.length >= maxIdle) {
      connection.stream.destroy()
      return
    }
    connection.idleSince = this.#now()
    idle.push(connection)
    this.#idle.set(connection.key, idle)
  }

  /** Close what has been idle for too long or was closed by the other side. */
  sweep(): void {
    const oldest = this.#now() - idleTime
    for (const [key, idle] of this.#idle) {
      const kept = idle.filter((connection) => {
        if (connection.usable && connection.idleSince > oldest) return true
        connection.stream.destroy()
        return false
      })
      if (kept.length === 0) this.#idle.delete(key)
      else this.#idle.set(key, kept)
    }
  }

  /** Close all idle connections, and those in use when they come back: the policy that made them is gone. */
  flush(): void {
    this.#generation++
    for (const idle of this.#idle.values()) for (const connection of idle) connection.stream.destroy()
    this.#idle.clear()
  }
}
