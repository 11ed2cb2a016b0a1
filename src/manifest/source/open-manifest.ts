import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import type { Problem } from "./diagnose.ts"

/** The bytes of a manifest, as text. */
export interface ManifestText {
  text: string
  sha256: string
  /** Somebody else on this machine may write the file. */
  writableByAll: boolean
}

export type Opened = { kind: "text"; content: ManifestText } | { kind: "missing" } | { kind: "bad"; problem: Problem }

/** A prompt of a hundred pages fits. */
const maxBytes = 256 * 1024

/**
 * Read one manifest: a regular file of at most 256 KB, UTF-8 without NUL, a byte order mark dropped. Nothing but a
 * regular file is read (a FIFO would block, a device would answer), and `followLinks: false` refuses a symbolic link,
 * as it must for what a repository ships.
 */
export async function openManifest(path: string, options: { followLinks: boolean }): Promise<Opened> {
  const noFollow = options.followLinks ? 0 : constants.O_NOFOLLOW
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | noFollow)
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? "unknown error"
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" }
    if (code === "ELOOP") return bad("a symbolic link is not followed here")
    return bad(code === "ENXIO" ? "not a regular file" : `cannot be read (${code})`)
  }
  try {
    return await readOpen(file)
  } catch (cause) {
    return bad(`cannot be read (${(cause as { code?: string }).code ?? "unknown error"})`)
  } finally {
    await file.close()
  }
}

async function readOpen(file: FileHandle): Promise<Opened> {
  const stat = await file.stat()
  if (!stat.isFile()) return bad("not a regular file")
  if (stat.size > maxBytes) return tooLarge()
  // The size may have grown since: read one byte more than the limit at most.
  const buffer = Buffer.alloc(Math.min(maxBytes, stat.size) + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  if (length > stat.size) return bad("it changed while it was read")
  const bytes = buffer.subarray(0, length)
  const text = decode(bytes)
  if (typeof text !== "string") return bad("not valid UTF-8", text.place)
  const nul = text.indexOf("\0")
  if (nul !== -1) return bad("a NUL byte: this is not a text file", placeIn(text, nul))
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  return { kind: "text", content: { text, sha256, writableByAll: (stat.mode & 0o002) !== 0 } }
}

function decode(bytes: Uint8Array): string | { place: { line: number; col: number } } {
  const text = decodePrefix(bytes, bytes.length, false)
  if (text !== undefined) return text
  // The longest prefix that is still valid ends where the file breaks.
  let valid = 0
  let invalid = bytes.length + 1
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1
    if (decodePrefix(bytes, middle, true) === undefined) invalid = middle
    else valid = middle
  }
  const before = decodePrefix(bytes, valid, true) ?? ""
  return { place: placeIn(before, before.length) }
}

function decodePrefix(bytes: Uint8Array, length: number, stream: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream })
  } catch {
    return undefined
  }
}

function placeIn(text: string, at: number): { line: number; col: number } {
  const before = text.slice(0, at)
  const lineStart = before.lastIndexOf("\n") + 1
  return { line: before.split("\n").length, col: at - lineStart + 1 }
}

function tooLarge(): Opened {
  return bad(`larger than ${maxBytes / 1024} KB`)
}

function bad(message: string, place = { line: 1, col: 1 }): Opened {
  return { kind: "bad", problem: { place, path: "", message } }
}
