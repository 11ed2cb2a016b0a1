import type { SidecarEvent } from "../control.ts"

const quietMs = 60_000

/** One line for the operator where an agent could cause thousands: the first at once, then a count each minute. */
export class Notices {
  readonly #emit: (event: SidecarEvent) => void
  readonly #now: () => number
  readonly #kinds = new Map<string, { last: number; unsaid: number }>()

  constructor(emit: (event: SidecarEvent) => void, now: () => number) {
    this.#emit = emit
    this.#now = now
  }

  /** `fields` are our own words, never the agent's: their number is small. */
  tell(kind: string, fields: Readonly<Record<string, string>>): void {
    const key = JSON.stringify([kind, fields])
    const state = this.#kinds.get(key) ?? { last: Number.NEGATIVE_INFINITY, unsaid: 0 }
    this.#kinds.set(key, state)
    state.unsaid += 1
    const now = this.#now()
    if (now - state.last < quietMs) return
    this.#emit({ time: new Date().toISOString(), kind, ...fields, count: state.unsaid })
    state.last = now
    state.unsaid = 0
  }
}
