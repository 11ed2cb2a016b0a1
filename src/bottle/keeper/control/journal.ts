import type { StateDir } from "../../state.ts"

/** Bytes of egress log after which only refusals are written, and after which nothing is (SECURITY 26). */
const caps = { requests: 64 * 1024 ** 2, refusals: 128 * 1024 ** 2 } as const

/**
 * The keeper's writing while a bottle runs. Nothing here throws: what cannot be written is said once, to whoever ends
 * the bottle, because a bottle that is not written down may not go on.
 */
export class Journal {
  readonly #state: StateDir
  readonly #onFailure: (error: Error) => void
  #failed = false
  #egressBytes: number

  constructor(state: StateDir, onFailure: (error: Error) => void) {
    this.#state = state
    this.#onFailure = onFailure
    this.#egressBytes = state.egressLog().length
  }

  log(file: "bringup" | "teardown" | "sidecars", text: string): void {
    this.#try(() => this.#state.log(file, text))
  }

  egress(line: string, refused: boolean): void {
    const before = this.#egressBytes
    if (before > (refused ? caps.refusals : caps.requests)) return
    this.#try(() => this.#state.logEgress(line))
    this.#egressBytes += line.length + 1
    for (const [kind, cap] of Object.entries(caps)) {
      if (before <= cap && this.#egressBytes > cap) this.log("sidecars", `egress log: full, ${kind} are counted only`)
    }
  }

  #try(write: () => void): void {
    try {
      write()
    } catch (error) {
      if (this.#failed) return
      this.#failed = true
      this.#onFailure(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
