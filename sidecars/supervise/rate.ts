/** A bucket of tokens: `burst` at once, then `perMinute`. `now` is in ms and never goes back. */
export class Rate {
  readonly #burst: number
  readonly #perMs: number
  readonly #now: () => number
  #tokens: number
  #at: number

  constructor({ burst, perMinute }: { burst: number; perMinute: number }, now: () => number) {
    this.#burst = burst
    this.#perMs = perMinute / 60_000
    this.#now = now
    this.#tokens = burst
    this.#at = now()
  }

  /** Take one: 0, or the seconds until there is one. */
  take(): number {
    const now = this.#now()
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return 0
    }
    return Math.max(1, Math.ceil((1 - this.#tokens) / this.#perMs / 1000))
  }
}
