import { isIPv6 } from "node:net"
import { domainToASCII } from "node:url"

export interface Bad {
  kind: "bad"
  /** What is wrong, as the end of a sentence. */
  why: string
}

export type CanonicalHost =
  /** `host` is what `new URL` would call `hostname` (IPv6 in brackets); `ip` is the bare address of a literal. */
  { kind: "host"; host: string; ip?: string } | Bad

export type CanonicalHostPattern =
  /** With `wildcard`, `host` is the suffix: every subdomain of it is meant, and not the suffix itself. */
  { kind: "pattern"; host: string; wildcard: boolean } | Bad

export type Authority = { kind: "authority"; host: string; ip?: string; port?: number } | Bad

/** The name under which the egress sidecar answers by itself. The only name with an underscore that is a host here. */
export const egressName = "_egress.local"

const maxHost = 253
const maxLabel = 63
const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/
/** Already canonical: lower-case labels, the last one starting with a letter, so no IPv4 notation. */
const plainName = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?$/

/** `xß--y`: curl makes it `xss--y`, a URL parser `xn--x--y-…`. Labels in punycode are ASCII and not meant. */
const hyphensInOddPlace = /(?:^|[.\u3002\uff0e\uff61])(?=[^.\u3002\uff0e\uff61]*[^\0-\x7f])[^.\u3002\uff0e\uff61]{2}--/u

const bad = (why: string): Bad => ({ kind: "bad", why })

/**
 * The one spelling of a host that the policy, the dialler and TLS compare: lower case, no trailing dot, IDNA mapped to
 * punycode, IPv4 in every notation (octal, hex, short) as dotted quad, IPv6 compressed and in brackets. Stricter than
 * `new URL`: what parsers read differently (percent escapes, underscores, invisible characters, hyphens at a label's
 * edge, zone ids) is refused, never repaired. An IPv4-mapped IPv6 literal stays IPv6; `classifyAddress` unwraps it.
 */
export function canonicalHost(text: string): CanonicalHost {
  if (text.length <= maxHost && plainName.test(text) && !text.includes("xn--")) return checkLabels(text)
  if (text === egressName) return { kind: "host", host: egressName }
  if (text === "" || text === ".") return bad("it is empty")
  if (text.length > 4 * maxHost) return bad("it is too long")
  if (text.includes(":") || text.startsWith("[")) return canonicalIpv6(text)
  if (/[\p{Cc}\s]/u.test(text)) return bad("it holds a space or a control character")
  if (text.includes("%")) return bad("it holds a percent sign")
  if (/\p{Default_Ignorable_Code_Point}/u.test(text)) return bad("it holds an invisible character")
  if (/[^\p{L}\p{M}\p{N}.\-_\u3002\uff0e\uff61]/u.test(text)) return bad("it holds a character that no host name has")
  if (hyphensInOddPlace.test(text)) return bad("a label with letters outside ASCII has hyphens third and fourth")
  return canonicalName(text)
}

function canonicalName(text: string): CanonicalHost {
  const ascii = domainToASCII(text)
  if (ascii === "") return bad("it is neither a valid name nor an address")
  if (domainToASCII(ascii) !== ascii) return bad("it has more than one reading")
  if (ascii.includes("_")) return bad("it holds an underscore, which programs read differently")
  if (ipv4.test(ascii)) return { kind: "host", host: ascii, ip: ascii }
  return checkLabels(ascii.endsWith(".") ? ascii.slice(0, -1) : ascii)
}

function checkLabels(name: string): CanonicalHost {
  if (name.length > maxHost) return bad(`it is longer than ${maxHost} characters`)
  let start = 0
  while (start <= name.length) {
    const dot = name.indexOf(".", start)
    const end = dot === -1 ? name.length : dot
    if (end === start) return bad("it has an empty label")
    if (end - start > maxLabel) return bad(`it has a label longer than ${maxLabel} characters`)
    if (name[start] === "-" || name[end - 1] === "-") return bad("a label starts or ends with a hyphen")
    start = end + 1
  }
  if (!/^[a-z0-9.-]+$/.test(name)) return bad("it holds a character that no host name has")
  return { kind: "host", host: name }
}

function canonicalIpv6(text: string): CanonicalHost {
  if (text.includes("%")) return bad("it has a zone id")
  const bracketed = text.startsWith("[") && text.endsWith("]")
  const bare = bracketed ? text.slice(1, -1) : text
  if (!/^[0-9a-f:.]+$/i.test(bare)) return bad("it is neither a name nor an IPv6 address")
  // Bun's URL takes `::1:` for `::1`; Node's and curl's do not.
  const host = isIPv6(bare) ? domainToASCII(`[${bare}]`) : ""
  if (!host.startsWith("[")) return bad("it is not an IPv6 address")
  return { kind: "host", host, ip: host.slice(1, -1) }
}

/** The host of a route or of an allowlist line: a canonical host, or `*.` and one (`*.` and an address is refused). */
export function canonicalHostPattern(text: string): CanonicalHostPattern {
  const wildcard = text.startsWith("*.")
  const host = canonicalHost(wildcard ? text.slice(2) : text)
  if (host.kind === "bad") return host
  if (wildcard && host.ip !== undefined) return bad("an address has no subdomains")
  return { kind: "pattern", host: host.host, wildcard }
}

/**
 * `host` or `host:port` of a CONNECT line or a Host header: ASCII only, IPv6 in brackets, no user information, the port
 * in plain decimal. The port is absent when none was written.
 */
export function parseAuthority(text: string): Authority {
  if (/[^\x21-\x7e]/.test(text)) return bad("it holds a space, a control character or a byte outside ASCII")
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(text)
  if (parts === null) return bad("it is not host:port")
  const host = canonicalHost(parts[1] ?? "")
  if (host.kind === "bad") return host
  const authority = { kind: "authority" as const, host: host.host, ...(host.ip === undefined ? {} : { ip: host.ip }) }
  if (parts[2] === undefined) return authority
  const port = /^[1-9]\d{0,4}$/.test(parts[2]) ? Number(parts[2]) : 0
  if (port < 1 || port > 65535) return bad("its port is not a number from 1 to 65535")
  return { ...authority, port }
}
