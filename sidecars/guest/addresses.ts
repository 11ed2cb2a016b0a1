/** Socket addresses as the kernel lays them out (little-endian machines), for calls made through the C library. */

const family = { inet: 2, inet6: 10 } as const

export interface SocketAddress {
  family: 2 | 10
  bytes: Uint8Array
}

/** The address and port as a sockaddr, or undefined where the text is not an address. A zone is left out. */
export function socketAddress(address: string, port: number): SocketAddress | undefined {
  const text = address.replace(/%.*$/, "")
  const parts = text.includes(":") ? parseV6(text) : parseV4(text)
  if (parts === undefined) return undefined
  const isV4 = parts.length === 4
  const bytes = new Uint8Array(isV4 ? 16 : 28)
  bytes[0] = isV4 ? family.inet : family.inet6
  bytes[2] = port >> 8
  bytes[3] = port & 0xff
  bytes.set(parts, isV4 ? 4 : 8)
  return { family: isV4 ? family.inet : family.inet6, bytes }
}

function parseV4(text: string): number[] | undefined {
  const parts = text.split(".").map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256))
  return parts.length === 4 && parts.every((part) => part < 256) ? parts : undefined
}

function parseV6(text: string): number[] | undefined {
  const [head, tail, more] = text.split("::")
  if (head === undefined || more !== undefined) return undefined
  const groups = (part: string | undefined): number[] | undefined => {
    if (part === undefined || part === "") return []
    const fields = part.split(":")
    const last = fields.at(-1) ?? ""
    const embedded = last.includes(".") ? parseV4(last) : undefined
    const hex = embedded === undefined ? fields : fields.slice(0, -1)
    if (!hex.every((field) => /^[0-9a-f]{1,4}$/i.test(field))) return undefined
    return [
      ...hex.flatMap((field) => [Number.parseInt(field, 16) >> 8, Number.parseInt(field, 16) & 0xff]),
      ...(embedded ?? []),
    ]
  }
  const before = groups(head)
  const after = groups(tail)
  if (before === undefined || after === undefined) return undefined
  const missing = 16 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined
  return [...before, ...new Array<number>(missing).fill(0), ...after]
}

/** Loopback and link-local addresses mean this side's own, on whichever side they are said. */
export function isOwnSide(address: string): boolean {
  return /^127\./.test(address) || /^(::1|fe[89ab][0-9a-f]:.*)$/i.test(address.replace(/%.*$/, ""))
}
