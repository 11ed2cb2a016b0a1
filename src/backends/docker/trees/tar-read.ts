/** A member as it was read. `kind` "other": a device, a pipe, something unknown. */
export interface ReadMember {
  path: string
  kind: "file" | "dir" | "link" | "hard-link" | "other"
  mode: number
  size: number
  mtime: number
  linkTo: string
}

/** Takes the archive apart: `begin` for each member, `bytes` for a file's content, `end` when it is complete. */
export interface TarSink {
  begin(member: ReadMember): void
  bytes(chunk: Buffer): void
  end(): void
}

const block = 512
const mostExtended = 1024 * 1024
const kinds: Readonly<Record<string, ReadMember["kind"]>> = {
  "0": "file",
  "\0": "file",
  "1": "hard-link",
  "2": "link",
  "5": "dir",
}

/**
 * Reads an archive chunk by chunk: the old form, pax records and GNU's long names. Throws on what it does not
 * understand; whether a member is acceptable is for the sink to say.
 */
export class TarReader {
  readonly #sink: TarSink
  #pending: Buffer[] = []
  #pendingBytes = 0
  /** Content still to come of the member at hand, then its padding. */
  #content = 0
  #padding = 0
  #extended: { type: string; parts: Buffer[] } | undefined
  #open = false
  #overrides: Partial<Record<string, string>> = {}
  #ended = false

  constructor(sink: TarSink) {
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0 && !this.#ended) {
      if (this.#content > 0) rest = this.#takeContent(rest)
      else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, rest.length)
        this.#padding -= skipped
        rest = rest.subarray(skipped)
      } else rest = this.#takeHeader(rest)
    }
  }

  /** Throws when the archive stopped in the middle. */
  finish(): void {
    if (!this.#ended) throw new Error("the archive ends too early")
  }

  #takeContent(rest: Buffer): Buffer {
    const taken = rest.subarray(0, this.#content)
    this.#content -= taken.length
    if (this.#extended !== undefined) this.#extended.parts.push(Buffer.from(taken))
    else this.#sink.bytes(taken)
    if (this.#content === 0) this.#close()
    return rest.subarray(taken.length)
  }

  #close(): void {
    const extended = this.#extended
    this.#extended = undefined
    if (extended !== undefined) this.#read(extended.type, Buffer.concat(extended.parts))
    else if (this.#open) {
      this.#open = false
      this.#sink.end()
    }
  }

  #takeHeader(rest: Buffer): Buffer {
    const taken = rest.subarray(0, block - this.#pendingBytes)
    this.#pending.push(Buffer.from(taken))
    this.#pendingBytes += taken.length
    if (this.#pendingBytes === block) {
      const header = Buffer.concat(this.#pending)
      this.#pending = []
      this.#pendingBytes = 0
      this.#header(header)
    }
    return rest.subarray(taken.length)
  }

  #header(header: Buffer): void {
    if (header.every((byte) => byte === 0)) {
      this.#ended = true
      return
    }
    verifySum(header)
    const type = String.fromCharCode(header[156] ?? 0)
    const size = type === "x" || type === "L" || type === "K" ? number(header, 124, 12) : this.#size(header)
    this.#padding = (block - (size % block)) % block
    if (["x", "g", "L", "K"].includes(type)) {
      if (size > mostExtended) throw new Error("an extended header is too long")
      this.#extended = { type, parts: [] }
    } else {
      this.#begin(header, type, size)
    }
    this.#content = size
    if (size === 0) this.#close()
  }

  #size(header: Buffer): number {
    const size = this.#overrides.size === undefined ? number(header, 124, 12) : Number(this.#overrides.size)
    if (!Number.isSafeInteger(size) || size < 0) throw new Error("a member has no size")
    return size
  }

  #begin(header: Buffer, type: string, size: number): void {
    const prefix = header.toString("latin1", 257, 262) === "ustar" ? text(header, 345, 155) : ""
    const name = text(header, 0, 100)
    const kind = kinds[type] ?? "other"
    if (kind !== "file" && kind !== "other" && size !== 0) throw new Error("content where none belongs")
    const { path = prefix === "" ? name : `${prefix}/${name}`, linkpath = text(header, 157, 100) } = this.#overrides
    this.#overrides = {}
    this.#open = true
    this.#sink.begin({
      ...{ path, kind, size, linkTo: linkpath },
      mode: number(header, 100, 8) & 0o7777,
      mtime: number(header, 136, 12),
    })
  }

  #read(type: string, body: Buffer): void {
    if (type === "L") this.#overrides.path = body.toString("utf8").replace(/\0.*$/s, "")
    else if (type === "K") this.#overrides.linkpath = body.toString("utf8").replace(/\0.*$/s, "")
    else if (type === "x") Object.assign(this.#overrides, paxRecords(body))
  }
}

function paxRecords(body: Buffer): Record<string, string> {
  const found: Record<string, string> = {}
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(32, at)
    const length = Number(body.toString("latin1", at, space))
    if (space === -1 || !Number.isInteger(length) || length < 5 || at + length > body.length) {
      throw new Error("malformed extended header")
    }
    const record = body.toString("utf8", space + 1, at + length - 1)
    const mark = record.indexOf("=")
    const name = record.slice(0, mark)
    if (["path", "linkpath", "size"].includes(name)) found[name] = record.slice(mark + 1)
    at += length
  }
  return found
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString("utf8", 0, end === -1 ? length : end)
}

/** Octal digits, or with the first bit set a binary number. */
function number(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(at + length - 8))
  const digits = header
    .toString("latin1", at, at + length)
    .replace(/[\0 ]+$/, "")
    .trim()
  if (!/^[0-7]*$/.test(digits)) throw new Error("a header holds no number where one belongs")
  return digits === "" ? 0 : Number.parseInt(digits, 8)
}

function verifySum(header: Buffer): void {
  let sum = 8 * 32
  for (let at = 0; at < block; at += 1) if (at < 148 || at >= 156) sum += header[at] ?? 0
  if (sum !== number(header, 148, 8)) throw new Error("not an archive")
}
