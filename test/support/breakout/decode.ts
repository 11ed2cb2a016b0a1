import { gunzipSync, inflateRawSync, inflateSync } from "node:zlib"

/** How deep encodings may lie in each other. */
const maxDepth = 3

/**
 * Whether `needle` is in `bytes`, as it is or in an encoding that carries data out: reversed, hex, percent, base64 and
 * base32 at every alignment, gzip and deflate, and these inside each other. Returns in what form it was found.
 */
export function findNeedle(bytes: Uint8Array, needle: string): string | undefined {
  return search(Buffer.from(bytes), formsOf(needle), 0)
}

type Form = readonly [name: string, text: string]

/** The forms under which a text is looked for, as latin1. */
export function formsOf(needle: string): Form[] {
  const bytes = Buffer.from(needle)
  const hex = bytes.toString("hex")
  const forms: Form[] = [
    ["raw", needle],
    ["upper case", needle.toUpperCase()],
    ["reversed", [...needle].reverse().join("")],
    ["hex", hex],
    ["hex", hex.toUpperCase()],
    ["percent", hex.replace(/../g, "%$&")],
    ["percent", hex.toUpperCase().replace(/../g, "%$&")],
    ["dots between", [...needle].join(".")],
    ["url", encodeURIComponent(needle)],
  ]
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replaceAll("=", "")
    const own = text.slice(Math.ceil((before * 8) / 6), (before + bytes.length) % 3 === 0 ? undefined : -1)
    forms.push(["base64", own], ["base64url", own.replaceAll("+", "-").replaceAll("/", "_")])
  }
  for (const before of [0, 1, 2, 3, 4]) {
    const text = base32(Buffer.concat([Buffer.alloc(before), bytes]))
    const own = text.slice(Math.ceil((before * 8) / 5), (before + bytes.length) % 5 === 0 ? undefined : -1)
    forms.push(["base32", own], ["base32", own.toLowerCase()])
  }
  return forms
}

function search(bytes: Buffer, forms: readonly Form[], depth: number): string | undefined {
  for (const [name, text] of forms) if (bytes.includes(text, 0, "latin1")) return name
  // Labels of a DNS name cut what they carry into pieces.
  const joined = bytes.toString("latin1").replace(/[\x00-\x2f\x3a-\x3f]+/g, "")
  for (const [name, text] of forms) {
    if (/^[0-9A-Za-z]+$/.test(text) && joined.includes(text)) return `${name} in pieces`
  }
  if (depth === maxDepth) return undefined
  for (const [name, inner] of unwrapped(bytes)) {
    const found = search(inner, forms, depth + 1)
    if (found !== undefined) return `${found} in ${name}`
  }
  return undefined
}

function* unwrapped(bytes: Buffer): Generator<readonly [string, Buffer]> {
  for (let at = bytes.indexOf("\x1f\x8b", 0, "latin1"); at !== -1; at = bytes.indexOf("\x1f\x8b", at + 1, "latin1")) {
    const inner = attempt(() => gunzipSync(bytes.subarray(at), { finishFlush: 2 }))
    if (inner !== undefined) yield ["gzip", inner]
  }
  for (const inflate of [inflateSync, inflateRawSync]) {
    const inner = bytes.length > 4 ? attempt(() => inflate(bytes)) : undefined
    if (inner !== undefined && inner.length > 0) yield ["deflate", inner]
  }
  const text = bytes.toString("latin1")
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)) yield ["base64", Buffer.from(run, "base64")]
  for (const [run] of text.matchAll(/(?:[0-9a-fA-F]{2}){12,}/g)) yield ["hex", Buffer.from(run, "hex")]
  if (/%[0-9a-fA-F]{2}/.test(text)) {
    const plain = text.replace(/%([0-9a-fA-F]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
    yield ["percent", Buffer.from(plain, "latin1")]
  }
}

function attempt(make: () => Buffer): Buffer | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

function base32(bytes: Buffer): string {
  let bits = ""
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0")
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five.padEnd(5, "0"), 2)])
    .join("")
}
