import type { Duplex } from "node:stream"

/** One HTTP message as it came, read without any strictness: tests look at the bytes themselves. */
export interface Message {
  /** First line and fields. */
  lines: string[]
  body: Buffer
  trailers: string[]
  /** Every byte, framing included. */
  raw: Buffer
}

/** Value of a field of a message, "" without it. */
export function fieldOf(message: { lines: string[] }, name: string): string {
  const line = message.lines.slice(1).find((text) => text.toLowerCase().startsWith(`${name.toLowerCase()}:`))
  return line === undefined ? "" : line.slice(name.length + 1).trim()
}

export const statusOf = (message: Message): number => Number(message.lines[0]?.split(" ")[1])

/** Pulls messages off a stream. A stream that ends early rejects, unless the body runs to the end. */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0)
  #ended: Error | "end" | undefined
  #wake: () => void = () => {}

  constructor(stream: Duplex) {
    stream.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    const end = (how: Error | "end") => {
      this.#ended ??= how
      this.#wake()
    }
    stream.on("end", () => end("end"))
    stream.on("close", () => end(new Error("closed")))
    stream.on("error", (error) => end(error))
  }

  /** What has arrived and was not read. */
  get held(): Buffer {
    return this.#bytes
  }

  async more(): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended === "end" ? new Error("ended") : this.#ended
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) await this.more()
    const out = this.#bytes.subarray(0, count)
    this.#bytes = this.#bytes.subarray(count)
    return out
  }

  async until(mark: string): Promise<Buffer> {
    for (;;) {
      const at = this.#bytes.indexOf(mark)
      if (at !== -1) return this.bytes(at + mark.length)
      await this.more()
    }
  }

  /** Everything up to the end of the stream. */
  async rest(): Promise<Buffer> {
    while (this.#ended === undefined) await this.more().catch(() => {})
    return this.bytes(this.#bytes.length)
  }

  async head(): Promise<{ lines: string[]; raw: Buffer }> {
    const raw = await this.until("\r\n\r\n")
    return { lines: raw.toString("latin1").trimEnd().split("\r\n"), raw }
  }

  /** A whole message. `bodiless`: its status or request method says that no body follows. */
  async message(options: { request?: boolean; bodiless?: boolean } = {}): Promise<Message> {
    const { lines, raw } = await this.head()
    const message: Message = { lines, body: Buffer.alloc(0), trailers: [], raw }
    if (options.bodiless === true) return message
    const length = fieldOf(message, "content-length")
    if (/chunked/i.test(fieldOf(message, "transfer-encoding"))) return this.#chunked(message)
    if (length !== "") message.body = await this.bytes(Number(length))
    else if (options.request !== true) message.body = await this.rest()
    message.raw = Buffer.concat([raw, message.body])
    return message
  }

  async #chunked(message: Message): Promise<Message> {
    const raw = [message.raw]
    const body: Buffer[] = []
    for (;;) {
      const line = await this.until("\r\n")
      raw.push(line)
      const size = Number.parseInt(line.toString("latin1"), 16)
      if (size === 0) break
      const data = await this.bytes(size + 2)
      raw.push(data)
      body.push(data.subarray(0, -2))
    }
    for (let line = await this.until("\r\n"); line.length > 2; line = await this.until("\r\n")) {
      raw.push(line)
      message.trailers.push(line.toString("latin1").trimEnd())
    }
    return { ...message, body: Buffer.concat(body), raw: Buffer.concat(raw) }
  }
}
