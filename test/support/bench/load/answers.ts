/** Counts the bytes of answers with a Content-Length; tells when one is complete. One request under way at a time. */
export class AnswerCounter {
  onComplete: () => void = () => {}
  /** Bytes of bodies so far. */
  bytes = 0
  #head = ""
  #left = -1

  push(chunk: Buffer): void {
    let body = chunk.length
    if (this.#left < 0) {
      this.#head += chunk.toString("latin1", 0, Math.min(chunk.length, 4096))
      const end = this.#head.indexOf("\r\n\r\n")
      if (end === -1) return
      const status = this.#head.slice(9, 12)
      if (status !== "200") throw new Error(`answered with ${this.#head.slice(0, 2000)}`)
      const length = /^content-length: *(\d+)/im.exec(this.#head.slice(0, end + 2))?.[1]
      if (length === undefined) throw new Error(`an answer without a length: ${this.#head.slice(0, end)}`)
      // Earlier chunks of a head in pieces are all in #head; only this one can hold body.
      body = this.#head.length - end - 4 + Math.max(0, chunk.length - 4096)
      this.#head = ""
      this.#left = Number(length)
    }
    this.bytes += body
    this.#left -= body
    if (this.#left < 0) throw new Error("more bytes than the answer's length")
    if (this.#left > 0) return
    this.#left = -1
    this.onComplete()
  }
}
