import { type FileHandle, open } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { writeFileAtomic } from "../lib/atomic-file.ts"
import type { Act } from "./act.ts"
import { sha256 } from "./line.ts"

/** Where the bytes with this hash that once ended `<name>.jsonl` are kept. */
export const tornPath = (log: string, hash: string): string =>
  join(dirname(log), `${basename(log, ".jsonl")}.torn-${hash.slice(0, 16)}`)

const chunkBytes = 64 * 1024
const lineFeed = 0x0a

/** The end of a log: where its last whole line begins and ends (its line feed left out), and what is torn behind it. */
export interface Tail {
  /** Undefined: there is no whole line. */
  last: Buffer | undefined
  torn: Buffer
  /** Bytes up to the end of the last whole line. */
  whole: number
}

/** Read a log's end. Reads no more than it needs. */
export async function readTail(file: FileHandle, size: number): Promise<Tail> {
  let end = Buffer.alloc(0)
  for (let from = size; from > 0; ) {
    const start = Math.max(0, from - chunkBytes)
    end = Buffer.concat([await readAt(file, start, from - start), end])
    from = start
    const feed = end.lastIndexOf(lineFeed)
    if (feed === -1) continue
    const before = feed === 0 ? -1 : end.lastIndexOf(lineFeed, feed - 1)
    if (before === -1 && from > 0) continue
    return { last: end.subarray(before + 1, feed), torn: end.subarray(feed + 1), whole: from + feed + 1 }
  }
  return { last: undefined, torn: end, whole: 0 }
}

export async function readAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let got = 0
  while (got < length) {
    const { bytesRead } = await file.read(bytes, got, length - got, from + got)
    if (bytesRead === 0) break
    got += bytesRead
  }
  return bytes.subarray(0, got)
}

/**
 * Move what a killed writer left behind a log's last line into a file of its own, named by its hash, and only then
 * cut it off: a crash in between leaves it in both places, and the next writer does the same again. Returns the hash.
 */
export async function setAside(file: FileHandle, log: string, { torn, whole }: Tail, act: Act): Promise<string> {
  const hash = sha256(torn)
  await act("torn: set aside", () => writeFileAtomic(tornPath(log, hash), torn))
  await act("torn: cut", () => file.truncate(whole))
  await act("torn: sync", () => file.datasync())
  return hash
}

export async function syncDir(path: string): Promise<void> {
  const dir = await open(path, "r")
  try {
    await dir.sync()
  } catch (error) {
    // Some file systems cannot sync a directory.
    if (!["EINVAL", "ENOTSUP", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error
  } finally {
    await dir.close()
  }
}
