/** A tar header as bytes: names are whatever the agent chose, in any encoding. */

export const block = 512
const kinds = { "0": "file", "\0": "file", "1": "hard-link", "2": "link", "5": "dir" } as const
export type MemberKind = (typeof kinds)[keyof typeof kinds]

/** Records of an extended header that mean something for a plain tree; owners, attributes and the like do not. */
const keptRecords = ["path", "linkpath", "size", "mtime"]
const sparseRecords = ["GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.name", "GNU.sparse.realsize"]

export type Records = ReadonlyMap<string, Buffer>

export interface Header {
  /** Undefined: a device, a pipe, something unknown. */
  kind: MemberKind | undefined
  /** `x` precedes a member and speaks of it. */
  type: string
  /** As latin1, one character a byte; nothing at its end. */
  path: string
  linkTo: string
  mode: number
  /** Bytes that follow. */
  size: number
}

/** Throws for what is no header. */
export function readHeader(bytes: Buffer, records: Records): Header {
  verifySum(bytes)
  const type = String.fromCharCode(bytes[156] ?? 0)
  const prefix = bytes.toString("latin1", 257, 263) === "ustar\0" ? text(bytes, 345, 155) : ""
  const name = text(bytes, 0, 100)
  const latin = (record: string) => records.get(record)?.toString("latin1")
  const path = latin("GNU.sparse.name") ?? latin("path") ?? (prefix === "" ? name : `${prefix}/${name}`)
  const size = records.has("size") ? Number(latin("size")) : number(bytes, 124, 12)
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("a member has no size")
  return {
    kind: Object.hasOwn(kinds, type) ? kinds[type as keyof typeof kinds] : undefined,
    type,
    path: path.replace(/\/+$/, ""),
    linkTo: latin("linkpath") ?? text(bytes, 157, 100),
    mode: number(bytes, 100, 8),
    size,
  }
}

/** The records of an extended header's body. */
export function readRecords(body: Buffer): Records {
  const found = new Map<string, Buffer>()
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(32, at)
    const length = Number(body.toString("latin1", at, space))
    const mark = body.indexOf(61, space)
    if (space === -1 || mark === -1 || !Number.isInteger(length) || at + length > body.length || mark > at + length) {
      throw new Error("malformed extended header")
    }
    found.set(body.toString("latin1", space + 1, mark), body.subarray(mark + 1, at + length - 1))
    at += length
  }
  return found
}

/** Only what belongs to a plain tree. */
export function plainRecords(records: Records): Records {
  const sparse = sparseRecords.every((name) => records.has(name)) ? sparseRecords : []
  return new Map([...records].filter(([name]) => keptRecords.includes(name) || sparse.includes(name)))
}

export const isSparse = (records: Records): boolean => records.has("GNU.sparse.major")

/** The header again, with these permissions, no owner's name, no device, and the agent's own ids. */
export function plainHeader(bytes: Buffer, mode: number): Buffer {
  const header = Buffer.from(bytes)
  octal(header, mode, 100, 8)
  octal(header, 1000, 108, 8)
  octal(header, 1000, 116, 8)
  header.fill(0, 265, 345)
  return summed(header)
}

/** An extended header of these records; nothing where there are none. */
export function recordsHeader(records: Records): Buffer {
  if (records.size === 0) return Buffer.alloc(0)
  const body = Buffer.concat([...records].map(([name, value]) => record(name, value)))
  const header = Buffer.alloc(block)
  header.write("pax", 0, "latin1")
  octal(header, 0o644, 100, 8)
  octal(header, 0, 108, 8)
  octal(header, 0, 116, 8)
  octal(header, body.length, 124, 12)
  octal(header, 0, 136, 12)
  header.write("x", 156, "latin1")
  header.write("ustar\x00" + "00", 257, "latin1")
  return Buffer.concat([summed(header), body, Buffer.alloc(paddingOf(body.length))])
}

export const paddingOf = (size: number): number => (block - (size % block)) % block

/** A record begins with its own length in digits, which count too. */
function record(name: string, value: Buffer): Buffer {
  const rest = name.length + value.length + 3
  let length = rest + String(rest).length
  if (rest + String(length).length > length) length += 1
  return Buffer.concat([Buffer.from(`${length} ${name}=`, "latin1"), value, Buffer.from("\n")])
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString("latin1", 0, end === -1 ? length : end)
}

/** Octal digits, or with the first bit set a binary number. */
function number(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(at + length - 8))
  const digits = text(header, at, length).trim()
  if (!/^[0-7]*$/.test(digits)) throw new Error("a header holds no number where one belongs")
  return digits === "" ? 0 : Number.parseInt(digits, 8)
}

function octal(header: Buffer, value: number, at: number, length: number): void {
  header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, length, "latin1")
}

function sumOf(header: Buffer): number {
  let sum = 8 * 32
  for (let at = 0; at < block; at += 1) if (at < 148 || at >= 156) sum += header[at] ?? 0
  return sum
}

function summed(header: Buffer): Buffer {
  header.write(`${sumOf(header).toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1")
  return header
}

function verifySum(header: Buffer): void {
  if (sumOf(header) !== number(header, 148, 8)) throw new Error("not an archive")
}
