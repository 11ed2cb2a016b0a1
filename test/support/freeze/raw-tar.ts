/** A member of a hostile archive: whatever an honest program would not write. Strings are bytes, one a character. */
export interface RawMember {
  path: string
  type?: string
  mode?: number
  linkTo?: string
  content?: string
  /** Records of an extended header before it. */
  pax?: Record<string, string>
  /** Announced size, where it lies. */
  size?: number
}

export function rawTar(members: readonly RawMember[], end = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.flatMap(memberBytes), end])
}

function memberBytes({ path, type = "0", mode = 0o644, linkTo = "", content = "", pax, size }: RawMember): Buffer[] {
  const extended = pax === undefined ? [] : memberBytes({ path: "pax", type: "x", content: paxBody(pax) })
  const header = Buffer.alloc(512)
  header.write(path, 0, 100, "latin1")
  header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100, "latin1")
  header.write(`${(size ?? content.length).toString(8).padStart(11, "0")}\0`, 124, "latin1")
  header.write(type, 156, "latin1")
  header.write(linkTo, 157, 100, "latin1")
  header.write("ustar\x0000", 257, "latin1")
  header.fill(" ", 148, 156)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512)
  return [...extended, header, Buffer.from(content, "latin1"), padding]
}

function paxBody(records: Record<string, string>): string {
  return Object.entries(records)
    .map(([name, value]) => {
      const rest = ` ${name}=${value}\n`
      let length = rest.length + 1
      while (`${length}${rest}`.length !== length) length += 1
      return `${length}${rest}`
    })
    .join("")
}
