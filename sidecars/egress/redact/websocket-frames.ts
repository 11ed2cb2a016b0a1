import { Redactor } from "./redactor.ts"
import type { Scanner } from "./scanner.ts"

/** A frame's head, unmasked: two bytes and up to eight of length. */
const longestHead = 10
/** RFC 6455 §5.5. */
const longestControl = 125
const nothing = Buffer.alloc(0)

/**
 * Stars secrets out of the messages that a server sends, also where one lies over several fragments. What is held back
 * as the beginning of a secret goes on with a later fragment of the same message, so data frames are cut anew, which
 * an intermediary may do where no extension was agreed on (RFC 6455 §5.4; they are taken out of the handshake).
 */
export class FrameRedactor {
  readonly #scanner: Scanner
  #message: Redactor
  /** Opcode that the next data frame goes out with: the message's own, then 0. */
  #opcode = 0
  #head: Buffer = nothing
  #first = 0
  /** Bytes of payload still to come in this frame; undefined between frames. */
  #left: number | undefined
  /** Payload of a control frame so far: it comes between fragments and is looked at alone. */
  #control: Buffer = nothing

  constructor(scanner: Scanner) {
    this.#scanner = scanner
    this.#message = new Redactor(scanner)
  }

  /** The bytes that may go on. Throws on what a server may not send. */
  push(bytes: Buffer): Buffer {
    const out: Buffer[] = []
    let at = 0
    while (at < bytes.length) {
      if (this.#left === undefined) {
        at = this.#readHead(bytes, at, out)
      } else {
        const part = bytes.subarray(at, at + this.#left)
        at += part.length
        this.#left -= part.length
        this.#take(part, out)
      }
    }
    return Buffer.concat(out)
  }

  #readHead(bytes: Buffer, at: number, out: Buffer[]): number {
    this.#head = Buffer.concat([this.#head, bytes.subarray(at, at + 1)])
    const [first = 0, second = 0] = this.#head
    const wanted = this.#head.length < 2 ? longestHead : 2 + ([2, 8][(second & 0x7f) - 126] ?? 0)
    if (this.#head.length < wanted) return at + 1
    if ((second & 0x80) !== 0) throw new Error("a masked frame from a server")
    if ((first & 0x70) !== 0) throw new Error("a frame of an extension that was not agreed on")
    this.#first = first
    this.#left =
      wanted === 2 ? second : wanted === 4 ? this.#head.readUInt16BE(2) : Number(this.#head.readBigUInt64BE(2))
    this.#head = nothing
    if (this.#isControl && this.#left > longestControl) throw new Error("a control frame that is too long")
    if (!this.#isControl && (first & 0x0f) !== 0) this.#opcode = first & 0x0f
    if (this.#left === 0) this.#take(nothing, out)
    return at + 1
  }

  get #isControl(): boolean {
    return (this.#first & 0x08) !== 0
  }

  #take(part: Buffer, out: Buffer[]): void {
    const ended = this.#left === 0
    if (ended) this.#left = undefined
    if (this.#isControl) {
      this.#takeControl(part, ended, out)
      return
    }
    const final = ended && (this.#first & 0x80) !== 0
    const passing = this.#message.push(part)
    if (!final) {
      if (passing.length > 0) this.#emit(false, passing, out)
      return
    }
    this.#emit(true, Buffer.concat([passing, this.#message.end()]), out)
    this.#message = new Redactor(this.#scanner)
  }

  #takeControl(part: Buffer, ended: boolean, out: Buffer[]): void {
    this.#control = Buffer.concat([this.#control, part])
    if (!ended) return
    const redactor = new Redactor(this.#scanner)
    const payload = Buffer.concat([redactor.push(this.#control), redactor.end()])
    this.#control = nothing
    out.push(Buffer.from([this.#first, payload.length]), payload)
  }

  #emit(final: boolean, payload: Buffer, out: Buffer[]): void {
    out.push(frameHead((final ? 0x80 : 0) | this.#opcode, payload.length), payload)
    this.#opcode = 0
  }
}

function frameHead(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, length])
  const head = Buffer.alloc(length < 0x10000 ? 4 : 10)
  head[0] = first
  head[1] = length < 0x10000 ? 126 : 127
  if (length < 0x10000) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return head
}
