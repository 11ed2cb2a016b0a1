import { canonicalHost } from "./host.ts"

export type AddressClass =
  | { kind: "global" }
  /** `why` is the end of a sentence: `127.0.0.1 is loopback`. */
  | { kind: "refused"; why: string }

type Block = readonly [network: string, bits: number, name: string]

/** Addresses where clouds answer with credentials. Some lie in public space, so the list comes first. */
const metadata: readonly string[] = [
  "169.254.169.254", // AWS, GCP, Azure, DigitalOcean, OpenStack, Oracle
  "169.254.169.253", // AWS DNS
  "169.254.169.123", // AWS time
  "169.254.170.2", // AWS ECS tasks
  "169.254.170.23", // AWS EKS pod identity
  "169.254.0.23", // Tencent
  "169.254.42.42", // Scaleway
  "100.100.100.200", // Alibaba
  "168.63.129.16", // Azure's wire server, in public space
  "192.0.0.192", // Oracle classic
  "fd00:ec2::254", // AWS
  "fd00:ec2::253",
  "fd00:ec2::23",
  "fd20:ce::254", // GCP
  "fd00:42::42", // Scaleway
  "fd00:c1::a9fe:a9fe", // Oracle
]

/** IANA's IPv4 special-purpose registry and the multicast and reserved space, all but what is globally reachable. */
const ipv4Blocks: readonly Block[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by carriers (CGNAT)"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved for protocols"],
  ["192.0.2.0", 24, "for documentation"],
  ["192.88.99.0", 24, "a 6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "for benchmarks"],
  ["198.51.100.0", 24, "for documentation"],
  ["203.0.113.0", 24, "for documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["255.255.255.255", 32, "broadcast"],
  ["240.0.0.0", 4, "reserved"],
]

/** Read in order; what is in none of them and not in 2000::/3 is not global unicast. */
const ipv6Blocks: readonly Block[] = [
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["::", 96, "IPv4-compatible (deprecated)"],
  ["64:ff9b:1::", 48, "a local NAT64 address"],
  ["100::", 64, "discard-only"],
  ["2001::", 32, "a Teredo tunnel"],
  ["2001:2::", 48, "for benchmarks"],
  ["2001:10::", 28, "ORCHID (deprecated)"],
  ["2001:20::", 28, "ORCHID"],
  ["2001::", 23, "reserved for protocols"],
  ["2001:db8::", 32, "for documentation"],
  ["3ffe::", 16, "the former 6bone"],
  ["3fff::", 20, "for documentation"],
  ["5f00::", 16, "a segment routing id"],
  ["fc00::", 7, "unique local (private)"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "site-local (deprecated)"],
  ["ff00::", 8, "multicast"],
]

/** Where an IPv6 address carries an IPv4 one that is reached through it: the bit its 32 bits start at. */
const carriers: readonly (readonly [network: string, bits: number, at: number, name: string])[] = [
  ["::ffff:0:0", 96, 96, "IPv4-mapped"],
  ["64:ff9b::", 96, 96, "NAT64"],
  ["2002::", 16, 16, "6to4"],
]

/**
 * Whether an address may be dialled without the route's `allow_private`: only globally routable unicast, and no cloud
 * metadata service (SECURITY 16). Takes any notation that `canonicalHost` reads; an IPv4 address inside an IPv6 one is
 * judged as itself; anything that is not an address is refused. This host's own addresses are the dialler's to refuse.
 */
export function classifyAddress(ip: string): AddressClass {
  const host = canonicalHost(ip)
  if (host.kind === "bad" || host.ip === undefined) return { kind: "refused", why: "is not an IP address" }
  if (metadata.includes(host.ip)) return { kind: "refused", why: "is a cloud metadata address" }
  return host.ip.includes(":") ? classifyIpv6(readIpv6(host.ip)) : classifyIpv4(readIpv4(host.ip))
}

function classifyIpv4(value: bigint): AddressClass {
  if (metadata.includes(writeIpv4(value))) return { kind: "refused", why: "is a cloud metadata address" }
  const block = ipv4Blocks.find(([network, bits]) => isInside(value, readIpv4(network), bits, 32))
  return block === undefined ? { kind: "global" } : { kind: "refused", why: `is ${block[2]}` }
}

function classifyIpv6(value: bigint): AddressClass {
  for (const [network, bits, at, name] of carriers) {
    if (!isInside(value, readIpv6(network), bits, 128)) continue
    const inner = (value >> BigInt(96 - at)) & 0xffffffffn
    const verdict = classifyIpv4(inner)
    return verdict.kind === "global"
      ? verdict
      : { kind: "refused", why: `${verdict.why} (${name} ${writeIpv4(inner)})` }
  }
  const block = ipv6Blocks.find(([network, bits]) => isInside(value, readIpv6(network), bits, 128))
  if (block !== undefined) return { kind: "refused", why: `is ${block[2]}` }
  return value >> 125n === 1n ? { kind: "global" } : { kind: "refused", why: "is not global unicast" }
}

function isInside(value: bigint, network: bigint, bits: number, width: number): boolean {
  const shift = BigInt(width - bits)
  return value >> shift === network >> shift
}

function readIpv4(text: string): bigint {
  return text.split(".").reduce((value, octet) => value * 256n + BigInt(octet), 0n)
}

function writeIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".")
}

/** Only forms that `canonicalHost` gives or the tables above hold: groups and at most one `::`. */
function readIpv6(text: string): bigint {
  const [head = "", tail] = text.split("::")
  const front = head === "" ? [] : head.split(":")
  const back = tail === undefined || tail === "" ? [] : tail.split(":")
  const middle = tail === undefined ? [] : Array<string>(8 - front.length - back.length).fill("0")
  return [...front, ...middle, ...back].reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n)
}
