import type { TreeName } from "../../backends/backend.ts"
import { ByteReader } from "./byte-reader.ts"
import {
  block,
  type Header,
  isSparse,
  type MemberKind,
  paddingOf,
  plainHeader,
  plainRecords,
  type Records,
  readHeader,
  readRecords,
  recordsHeader,
} from "./header.ts"

/** A freeze is not taken, and none is thawed, past these. */
export interface ArchiveLimits {
  members: number
  bytes: number
}
export const archiveLimits: ArchiveLimits = { members: 1_000_000, bytes: 64 * 1024 ** 3 }

/** The kernel takes no longer name in one call: such a file could not be made again. */
const longestPath = 4_000
const mostRecords = 16 * 1024 * 1024
const permissions = 0o777
const batchBytes = 256 * 1024
const noRecords: Records = new Map()

/** One line of a freeze's list. */
export interface Member {
  /** Below the tree's directory, "" for itself. */
  path: string
  /** True: `path` is base64, since the name is not UTF-8. */
  raw?: true
  kind: MemberKind
  /** Where a link leads; of a hard link, its first name below the tree's directory. */
  to?: string
  mode: number
  /** Bytes in the archive; of a file with holes without them, and `sparse` says so. */
  size: number
  sparse?: true
  /** Of a file's bytes as they are in the archive. */
  sha256?: string
}

export interface ArchiveDeps {
  tree: TreeName
  /**
   * `mend`: what is no part of a plain tree is left out (devices, pipes, names too long) or taken off (set-id bits,
   * owners, attributes). `refuse`: it is an error.
   */
  foreign: "mend" | "refuse"
  limits: ArchiveLimits
  member(member: Member): void
  /** A member was left out. */
  left(): void
}

/**
 * An archive of an agent's tree, looked at member by member and passed on: nothing that leads out of the tree, comes
 * through a link, is named twice, or is more than a file, a directory or a link. Throws at the first that is.
 */
export async function* checkArchive(source: AsyncIterable<Uint8Array>, deps: ArchiveDeps): AsyncGenerator<Buffer> {
  const input = new ByteReader(source)
  try {
    yield* inBatches(checkMembers(input, deps))
  } finally {
    await input.close()
  }
}

/** A small file is five pieces, and each piece would be a write. */
async function* inBatches(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    held.push(piece)
    bytes += piece.length
    if (bytes < batchBytes) continue
    yield Buffer.concat(held)
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held)
}

async function* checkMembers(
  input: ByteReader,
  { tree, foreign, limits, member, left }: ArchiveDeps,
): AsyncGenerator<Buffer> {
  const seen = new Map<string, MemberKind>()
  let records = noRecords
  let bytes = 0
  for (;;) {
    const raw = await input.take(block)
    if (raw === undefined) throw new Error("the archive ends too early")
    if (raw.every((byte) => byte === 0)) break
    const header = readHeader(raw, records)
    bytes += block + header.size
    if (bytes > limits.bytes) throw new Error(`more than ${limits.bytes} bytes`)
    if (header.type === "x") {
      if (header.size > mostRecords) throw new Error("an extended header is too long")
      records = readRecords((await input.take(header.size)) ?? Buffer.alloc(0))
      await input.take(paddingOf(header.size))
      continue
    }
    const kept = plainRecords(records)
    if (foreign === "refuse") refuseForeign(header, records, kept)
    records = noRecords
    const padding = paddingOf(header.size)
    const isOrphan = header.kind === "hard-link" && !seen.has(header.linkTo)
    if (header.kind === undefined || header.path.length > longestPath || (isOrphan && foreign === "mend")) {
      left()
      for await (const _ of input.pass(header.size + padding));
      continue
    }
    const name = placeOf(header, tree, seen)
    if (seen.size >= limits.members) throw new Error(`more than ${limits.members} files`)
    seen.set(header.path, header.kind)
    yield recordsHeader(kept)
    yield plainHeader(raw, header.mode & permissions)
    const hash = new Bun.CryptoHasher("sha256")
    for await (const piece of input.pass(header.size)) {
      hash.update(piece)
      yield piece
    }
    await input.take(padding)
    yield Buffer.alloc(padding)
    member(describe(header, name, kept, hash))
  }
  if (!seen.has(tree)) throw new Error(`the archive holds no ${tree}`)
  if ((await input.drain()) && foreign === "refuse") throw new Error("something follows the archive's end")
  yield Buffer.alloc(2 * block)
}

function describe(header: Header, name: string, records: Records, hash: Bun.CryptoHasher): Member {
  const path = inWords(name)
  const to = inWords(header.kind === "hard-link" ? header.linkTo.replace(/^[^/]*\//, "") : header.linkTo)
  return {
    path: path.text,
    ...(path.raw ? { raw: true } : {}),
    ...(header.kind === "link" || header.kind === "hard-link" ? { to: to.text } : {}),
    kind: header.kind ?? "file",
    mode: header.mode & permissions,
    size: header.size,
    ...(isSparse(records) ? { sparse: true } : {}),
    ...(header.kind === "file" ? { sha256: hash.digest("hex") } : {}),
  }
}

/** A name as text, or in base64 where it is not UTF-8. */
function inWords(latin: string): { text: string; raw: boolean } {
  const bytes = Buffer.from(latin, "latin1")
  const text = bytes.toString("utf8")
  const isText = Buffer.from(text, "utf8").equals(bytes)
  return isText ? { text, raw: false } : { text: bytes.toString("base64"), raw: true }
}

function refuseForeign(header: Header, records: Records, kept: Records): void {
  if (header.kind === undefined) throw new Error(`${shown(header.path)} is neither file, directory nor link`)
  if ((header.mode & ~permissions) !== 0) throw new Error(`${shown(header.path)} would be set-id`)
  if (kept.size !== records.size) throw new Error(`${shown(header.path)} has attributes`)
}

/** Its name below the tree's directory. Throws for one that is not plainly there. */
function placeOf({ path, kind, linkTo, size }: Header, tree: TreeName, seen: ReadonlyMap<string, MemberKind>): string {
  const parts = path.split("/")
  const plain = parts.every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\0"))
  if (!plain || parts[0] !== tree) throw new Error(`${shown(path)} is not a name in ${tree}`)
  if (seen.has(path)) throw new Error(`${shown(path)} comes twice`)
  if (parts.length === 1 ? kind !== "dir" : seen.get(parts.slice(0, -1).join("/")) !== "dir") {
    throw new Error(`${shown(path)} is in no directory of the archive`)
  }
  if (kind === "hard-link" && !["file", "hard-link", "link"].includes(seen.get(linkTo) ?? "")) {
    throw new Error(`${shown(path)} is a second name of what is no file of the archive`)
  }
  if (kind !== "file" && size !== 0) throw new Error(`${shown(path)} has content where none belongs`)
  return parts.slice(1).join("/")
}

const shown = (path: string): string => JSON.stringify(path.slice(0, 100))
