import { isUtf8 } from "node:buffer"
import { createHash } from "node:crypto"
import { canonicalJson } from "../policy/canonical-json.ts"
import { escapeJson } from "../ui/safe-text.ts"

/** What `seal` needs of a key. */
export interface Signer {
  /** Ed25519 over the UTF-8 of a text, as 128 lower-case hex digits. */
  sign(text: string): string
}

/** One line without its line feed, and the two members it ends with. */
export interface SealedLine {
  text: string
  signature: string
  hash: string
}

/** `prev_hash` of a chain's first line. */
export const noHash = "0".repeat(64)

/** Longest line that is read, in bytes; `limitFact` keeps what is written far below. */
export const longestLine = 4 * 1024 ** 2

const ending = /,"signature":"([0-9a-f]{128})","hash":"([0-9a-f]{64})"\}$/
const hashLength = ',"hash":""}'.length + 64
const endingLength = ',"signature":""'.length + 128 + hashLength

/**
 * The bytes that are written for some content: its canonical JSON, then `signature` over exactly that, then `hash` over
 * everything before it. Whoever checks a line cuts these two off its end and needs no canonical JSON of his own. What a
 * terminal would act on is escaped, so that a log can be looked at with anything.
 */
export function seal(content: object, key: Signer): SealedLine {
  const open = escapeJson(canonicalJson(content)).slice(0, -1)
  const signature = key.sign(`${open}}`)
  const signed = `${open},"signature":"${signature}"`
  const hash = sha256(`${signed}}`)
  return { text: `${signed},"hash":"${hash}"}`, signature, hash }
}

/** What a line says, and the text its signature is over. Its members are anybody's until that is checked. */
export interface OpenedLine {
  content: Readonly<Record<string, unknown>>
  signed: string
  signature: string
  hash: string
  /** Is `hash` that of the line? */
  intact: boolean
}

/** Take a line (without its line feed) apart. Undefined: it has not the shape of one. */
export function openLine(line: Buffer): OpenedLine | undefined {
  const [, signature, hash] = ending.exec(line.subarray(-endingLength).toString("latin1")) ?? []
  // What is no UTF-8 would be read as something else than what was signed.
  if (signature === undefined || hash === undefined || !isUtf8(line)) return undefined
  const hashed = createHash("sha256")
    .update(line.subarray(0, line.length - hashLength))
    .update("}")
    .digest("hex")
  const signed = `${line.toString("utf8", 0, line.length - endingLength)}}`
  try {
    const content: unknown = JSON.parse(signed)
    if (typeof content !== "object" || content === null) return undefined
    return { content: content as OpenedLine["content"], signed, signature, hash, intact: hashed === hash }
  } catch {
    return undefined
  }
}

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex")
}
