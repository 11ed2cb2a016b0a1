/** Where names of the harness lead. A globally routable address stands for a well-behaved upstream; every other name leads to the attacker. */
const names: Readonly<Record<string, readonly string[]>> = {
  "listed.example": ["93.184.215.14"],
  "open.example": ["93.184.215.15"],
  "ws.example": ["93.184.215.16"],
  "keyed.example": ["93.184.215.17"],
  "metadata.example": ["169.254.169.254"],
  "intranet.example": ["10.99.0.1"],
  "loopback.example": ["127.0.0.1"],
}
/** Names that the harness' authority vouches for. */
export const upstreamNames: readonly string[] = Object.keys(names)
const attacker = "203.0.113.10"

export const upstreamAddresses = ["93.184.215.14", "93.184.215.15", "93.184.215.16", "93.184.215.17"] as const

/** The answer to one DNS query, and the name it asked for; undefined when it is none. */
export function answerDns(query: Buffer): { name: string; bytes: Buffer } | undefined {
  if (query.length < 17) return undefined
  const labels: string[] = []
  let at = 12
  for (let size = query[at] ?? 0; size > 0 && size < 64; size = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + size))
    at += size + 1
  }
  const name = labels.join(".").toLowerCase()
  const type = query.length >= at + 3 ? query.readUInt16BE(at + 1) : 0
  const addresses = type === 1 ? (names[name] ?? [attacker]) : []
  const head = Buffer.from(query.subarray(0, 12))
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(addresses.length, 6)
  head.writeUInt32BE(0, 8)
  const answers = addresses.map((address) =>
    Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)]),
  )
  return { name, bytes: Buffer.concat([head, query.subarray(12, at + 5), ...answers]) }
}
