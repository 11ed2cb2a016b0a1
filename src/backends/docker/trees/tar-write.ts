/** A member of an archive. Only what we ever send: files, directories, links. */
export interface TarMember {
  /** Relative; a directory's may end in a slash. */
  path: string
  kind: "file" | "dir" | "link"
  mode: number
  uid: number
  gid: number
  size: number
  /** Seconds. */
  mtime: number
  linkTo?: string
}

const block = 512
const typeFlags = { file: "0", dir: "5", link: "2" } as const
const longestName = 99
const longestOctalSize = 0o77777777777

/** The header of a member; names or sizes that the old form cannot hold go into a pax record before it. */
export function tarHeader(member: TarMember): Buffer {
  const records: [string, string][] = []
  if (Buffer.byteLength(member.path) > longestName) records.push(["path", member.path])
  if (Buffer.byteLength(member.linkTo ?? "") > longestName) records.push(["linkpath", member.linkTo ?? ""])
  if (member.size > longestOctalSize) records.push(["size", String(member.size)])
  const plain = plainHeader(member, typeFlags[member.kind])
  if (records.length === 0) return plain
  const body = Buffer.concat(records.map(([name, value]) => paxRecord(name, value)))
  const extended = plainHeader({ ...member, path: "pax", size: body.length, linkTo: "" }, "x")
  return Buffer.concat([extended, body, padding(body.length), plain])
}

/** What follows a member's content, so that the next header begins at a block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block)
}

export const tarEnd: Buffer = Buffer.alloc(2 * block)

/** A record begins with its own length in digits, which count too. */
function paxRecord(name: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${name}=${value}\n`)
  let length = rest + String(rest).length
  if (rest + String(length).length > length) length += 1
  return Buffer.from(`${length} ${name}=${value}\n`)
}

function plainHeader(member: TarMember, type: string): Buffer {
  const header = Buffer.alloc(block)
  const octal = (value: number, at: number, length: number) =>
    header.write(
      `${Math.min(value, 8 ** (length - 1) - 1)
        .toString(8)
        .padStart(length - 1, "0")}\0`,
      at,
      "latin1",
    )
  cut(member.path).copy(header, 0)
  octal(member.mode & 0o7777, 100, 8)
  octal(member.uid, 108, 8)
  octal(member.gid, 116, 8)
  octal(member.size, 124, 12)
  octal(Math.max(0, Math.floor(member.mtime)), 136, 12)
  header.write("        ", 148, "latin1")
  header.write(type, 156, "latin1")
  cut(member.linkTo ?? "").copy(header, 157)
  header.write("ustar\0" + "00", 257, "latin1")
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
    "latin1",
  )
  return header
}

const cut = (text: string): Buffer => Buffer.from(text).subarray(0, longestName)

/** Texts as members that everybody may read and root owns. */
export function* packTexts(files: Readonly<Record<string, string>>): Generator<Buffer> {
  for (const [path, text] of Object.entries(files)) {
    const body = Buffer.from(text)
    yield tarHeader({ path, kind: "file", mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: 0 })
    yield body
    yield padding(body.length)
  }
}
