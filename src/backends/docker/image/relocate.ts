/**
 * The binary enters images that have another C library or none, so it brings its own loader and libraries along in one
 * directory. Three places of its head are rewritten to make it find them there: the loader's path, a tag that names
 * the search path (over the debugger's, which nothing here reads), and that path itself behind the loader's. All
 * three lie in what is loaded first; nothing moves, so that the program and what is appended to it stay as they are.
 */

/** Where binary, loader and libraries lie inside. At most 18 bytes with the loader's name: the room there is. */
export const insideBin = "/run/bottle/bin"
export const insideLoader = `${insideBin}/ld`
const searchPath = "$ORIGIN"

const tags = { null: 0n, needed: 1n, strtab: 5n, debug: 21n, runpath: 29n } as const
const segment = { load: 1, dynamic: 2, interp: 3 } as const

/** Bytes to be written over a file, at an offset. */
export interface Rewrite {
  at: number
  bytes: Uint8Array
}

/** Reads `length` bytes at `offset` of the binary. */
export type ReadAt = (offset: number, length: number) => Buffer

export interface Relocation {
  /** The loader that the program asks for today. */
  loader: string
  /** Names of the libraries that it needs. */
  needed: string[]
  rewrites: Rewrite[]
}

/** What to write over a 64-bit little-endian program so that it starts from `insideBin`. Throws on anything else. */
export function relocate(readAt: ReadAt): Relocation {
  const head = readAt(0, 64)
  if (head.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") throw new Error("not a 64-bit little-endian program")
  const segments = readSegments(readAt, head)
  const interp = segments.find(({ type }) => type === segment.interp)
  const dynamic = segments.find(({ type }) => type === segment.dynamic)
  if (interp === undefined || dynamic === undefined) throw new Error("not a dynamically linked program")
  const loader = readAt(interp.offset, interp.size).toString("latin1").replace(/\0+$/, "")
  const strings = Buffer.from(`${insideLoader}\0${searchPath}\0`)
  if (strings.length > interp.size) throw new Error(`no room for the loader's path in place of ${loader}`)

  const entries = readAt(dynamic.offset, dynamic.size)
  const strtab = findTag(entries, tags.strtab)
  const spare = findTag(entries, tags.debug)
  if (strtab === undefined || spare === undefined) throw new Error("no room for a search path")
  const pathAt = BigInt(interp.address + insideLoader.length + 1)
  const entry = Buffer.alloc(16)
  entry.writeBigUInt64LE(tags.runpath, 0)
  // Relative to the table of strings, which may lie behind: the loader's addition wraps around.
  entry.writeBigUInt64LE(BigInt.asUintN(64, pathAt - strtab.value), 8)
  const stringsAt = fileOffset(segments, Number(strtab.value))
  return {
    loader,
    needed: entriesOf(entries)
      .filter(({ tag }) => tag === tags.needed)
      .map(({ value }) => textAt(readAt, stringsAt + Number(value))),
    rewrites: [
      { at: interp.offset, bytes: Buffer.concat([strings, Buffer.alloc(interp.size - strings.length)]) },
      { at: dynamic.offset + spare.at, bytes: entry },
    ],
  }
}

function readSegments(readAt: ReadAt, head: Buffer) {
  const start = Number(head.readBigUInt64LE(32))
  const size = head.readUInt16LE(54)
  const table = readAt(start, size * head.readUInt16LE(56))
  return Array.from({ length: head.readUInt16LE(56) }, (_, index) => {
    const at = index * size
    return {
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    }
  })
}

/** Where in the file an address of the loaded program comes from. */
function fileOffset(segments: ReturnType<typeof readSegments>, address: number): number {
  const found = segments.find(
    (each) => each.type === segment.load && address >= each.address && address < each.address + each.size,
  )
  if (found === undefined) throw new Error("a table of the program is not in its file")
  return found.offset + address - found.address
}

function textAt(readAt: ReadAt, offset: number): string {
  const text = readAt(offset, 256)
  return text.toString("latin1", 0, text.indexOf(0))
}

function entriesOf(table: Buffer): { at: number; tag: bigint; value: bigint }[] {
  const found = []
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = table.readBigUInt64LE(at)
    if (tag === tags.null) break
    found.push({ at, tag, value: table.readBigUInt64LE(at + 8) })
  }
  return found
}

const findTag = (table: Buffer, tag: bigint) => entriesOf(table).find((entry) => entry.tag === tag)
