/** Numbers that are the same for the same seed (mulberry32), so that a failing fuzz case can be run again. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  /** The bytes in random slices, some of one byte. */
  slices(bytes: Buffer): Buffer[] {
    const slices: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + this.below(this.below(4) === 0 ? 1 : 40)
      slices.push(bytes.subarray(at, at + size))
      at += size
    }
    return slices
  }
}
