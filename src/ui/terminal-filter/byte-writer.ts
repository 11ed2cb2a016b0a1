/** Bytes being put together; grows as needed and keeps its room from one chunk to the next. */
export class ByteWriter {
  #room = new Uint8Array(4096)
  #length = 0

  /** Append `source[from..to)`. */
  copy(source: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from)
    this.#room.set(source.subarray(from, to), this.#length)
    this.#length += to - from
  }

  /** Append text that is ASCII only. */
  ascii(text: string): void {
    this.#reserve(text.length)
    for (let at = 0; at < text.length; at++) this.#room[this.#length++] = text.charCodeAt(at)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#room[this.#length++] = value
  }

  /** What was written since the last call, as bytes of the caller's own. */
  take(): Uint8Array {
    const taken = this.#room.slice(0, this.#length)
    this.#length = 0
    return taken
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#room.length) return
    const grown = new Uint8Array(Math.max(this.#room.length * 2, this.#length + more))
    grown.set(this.#room.subarray(0, this.#length))
    this.#room = grown
  }
}
