import type { Proposal } from "../types.ts"

/** What one bottle's agent may put before its operator. */
export const limits = {
  /** Proposals open at the same time. */
  open: 20,
  /** New proposals within `window`, so that answering them is no treadmill either. */
  rate: 30,
  /** Milliseconds. */
  window: 10 * 60_000,
} as const

/** Counts what an agent asks for. What is over the limits is refused, and said to the operator once a flood. */
export class FloodGate {
  readonly #now: () => number
  #taken: number[]
  #refused = 0

  /** `arrivals` of what is in the queue, for a keeper that comes after another. */
  constructor(now: () => number, arrivals: readonly string[]) {
    this.#now = now
    this.#taken = arrivals.map((at) => Date.parse(at))
  }

  /** Undefined: it may be taken, and counts. Else why not, and whether this is the first of a flood. */
  refuse(open: readonly Proposal[]): { message: string; first: boolean } | undefined {
    const since = this.#now() - limits.window
    this.#taken = this.#taken.filter((at) => at > since)
    const why =
      open.length >= limits.open
        ? `${limits.open} proposals of this bottle are open: wait until the operator has answered some.`
        : this.#taken.length >= limits.rate
          ? `This bottle made ${limits.rate} proposals within ${limits.window / 60_000} minutes: go on with other work and ask later.`
          : undefined
    if (why === undefined) {
      this.#taken.push(this.#now())
      this.#refused = 0
      return undefined
    }
    this.#refused += 1
    return { message: why, first: this.#refused === 1 }
  }
}
