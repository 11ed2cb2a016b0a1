import { createHash } from "node:crypto"
import { closeSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ImagePart } from "./binary-parts.ts"

const chunkBytes = 1024 * 1024

/** A part's bytes with its rewrites in them. */
export function* contentOf(part: ImagePart): Generator<Buffer> {
  const fd = openSync(part.source, "r")
  try {
    for (let at = 0; at < part.size; ) {
      const chunk = Buffer.alloc(Math.min(chunkBytes, part.size - at))
      const got = readSync(fd, chunk, 0, chunk.length, at)
      if (got === 0) throw new Error(`${part.source} was changed while it was read`)
      const piece = chunk.subarray(0, got)
      for (const rewrite of part.rewrites) {
        for (let index = 0; index < rewrite.bytes.length; index += 1) {
          const to = rewrite.at + index - at
          if (to >= 0 && to < got) piece[to] = rewrite.bytes[index] ?? 0
        }
      }
      yield piece
      at += got
    }
  } finally {
    closeSync(fd)
  }
}

/**
 * One hash over all parts. Hashing the binary takes 90 ms and more at every launch, so that it is noted together with
 * what the file system says of the files; whoever changes one changes that, its change time at the least.
 */
export function hashParts(parts: readonly ImagePart[], noteDir: string): string {
  const key = JSON.stringify(parts.map((part) => [part.path, part.source, ...signsOf(part.source), part.rewrites]))
  const note = join(noteDir, "own-image.json")
  const noted = readNote(note)
  if (noted?.key === key) return noted.hash
  const whole = createHash("sha256")
  for (const part of parts) {
    const hash = new Bun.CryptoHasher("sha256")
    for (const chunk of contentOf(part)) hash.update(chunk)
    whole.update(`${part.path}\0${hash.digest("hex")}\0`)
  }
  const hash = whole.digest("hex")
  writeNote(note, { key, hash })
  return hash
}

function signsOf(path: string): string[] {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
  return [dev, ino, size, mtimeNs, ctimeNs].map(String)
}

interface Note {
  key: string
  hash: string
}

function readNote(path: string): Note | undefined {
  try {
    const { key, hash } = JSON.parse(readFileSync(path, "utf8")) as Partial<Note>
    return typeof key === "string" && typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash)
      ? { key, hash }
      : undefined
  } catch {
    return undefined
  }
}

function writeNote(path: string, note: Note): void {
  try {
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, JSON.stringify(note), { mode: 0o600 })
    renameSync(draft, path)
  } catch {
    // It is hashed again next time.
  }
}
