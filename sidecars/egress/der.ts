/**
 * The few lines of DER (X.690) that a certificate needs. Each function returns one complete element: tag, length,
 * content. Nothing here decodes.
 */

const universal = { boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, utf8: 0x0c } as const

/** One element with any tag around already encoded parts. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content])
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const digits: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return Buffer.from([0x80 | digits.length, ...digits])
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]): Buffer => element(0x31, ...parts)
export const octets = (content: Uint8Array): Buffer => element(universal.octetString, content)
export const utf8 = (text: string): Buffer => element(universal.utf8, Buffer.from(text))
export const truth = (): Buffer => element(universal.boolean, Buffer.from([0xff]))
/** Context-specific and constructed: `[n] EXPLICIT`. */
export const tagged = (n: number, ...parts: readonly Uint8Array[]): Buffer => element(0xa0 | n, ...parts)
/** Context-specific and primitive: `[n] IMPLICIT` of a string. */
export const implicit = (n: number, content: Uint8Array): Buffer => element(0x80 | n, content)

/** A non-negative integer from its big-endian bytes, in the shortest form. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const shortest = bytes.subarray(start)
  const sign = ((shortest[0] ?? 0) & 0x80) === 0 ? [] : [0]
  return element(universal.integer, Buffer.from(sign), shortest.length === 0 ? Buffer.from([0]) : shortest)
}

/** A bit string of whole bytes, less `unused` bits at its end. */
export const bits = (content: Uint8Array, unused = 0): Buffer =>
  element(universal.bitString, Buffer.from([unused]), content)

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number)
  const bytes: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
    bytes.push(...digits)
  }
  return element(universal.oid, Buffer.from(bytes))
}

/** UTCTime up to 2049, GeneralizedTime from 2050, as RFC 5280 wants it. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, "").slice(0, 14)
  return date.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : element(0x18, Buffer.from(`${digits}Z`))
}

/** DER as PEM text. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`
}
