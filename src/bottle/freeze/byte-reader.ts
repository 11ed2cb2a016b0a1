/** Reads a stream in pieces of wanted sizes. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Exactly so many bytes; undefined where the stream has ended before the first of them. Throws in the middle. */
  async take(size: number): Promise<Buffer | undefined> {
    const parts = this.#held.length === 0 ? [] : [this.#held]
    let have = this.#held.length
    while (have < size) {
      const next = await this.#source.next()
      if (next.done === true) {
        this.#held = Buffer.alloc(0)
        if (have === 0) return undefined
        throw new Error("the archive ends too early")
      }
      parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength))
      have += next.value.byteLength
    }
    const all = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
    this.#held = all.subarray(size)
    return all.subarray(0, size)
  }

  /** The next so many bytes as they come. */
  async *pass(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      const piece = await this.take(Math.min(left, this.#held.length || 1))
      if (piece === undefined) throw new Error("the archive ends too early")
      left -= piece.length
      yield piece
    }
  }

  /** Want no more of it. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }

  /** Read the rest away; returns whether any of it was not zero. */
  async drain(): Promise<boolean> {
    let zero = this.#held.every((byte) => byte === 0)
    for (let next = await this.#source.next(); next.done !== true; next = await this.#source.next()) {
      zero = zero && Buffer.from(next.value).every((byte) => byte === 0)
    }
    return !zero
  }
}
