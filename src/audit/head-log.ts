import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import { reserveSpace } from "../lib/kernel.ts"
import type { Act } from "./act.ts"
import type { AuditKey } from "./key.ts"
import { noHash, openLine, type SealedLine, seal } from "./line.ts"
import { readAt, readTail, setAside, syncDir } from "./set-aside.ts"
import { takeLock } from "./take-lock.ts"

/** One line of `audit/head.jsonl`: how far the log of one bottle went at that moment. */
export interface HeadEntry {
  schemaVersion: 1
  /** From 1, without gaps, over all bottles. 1 again: the writer could not vouch for the line before. */
  head_seq: number
  /** ISO 8601. */
  timestamp: string
  bottle_slug: string
  /** `seq` and `hash` of the bottle's newest entry. */
  seq: number
  entry_hash: string
  /** The raw public key of whoever signed, in hex. */
  key: string
  /** SHA-256 of what was torn off the end of this file just before; absent: nothing was. */
  torn?: string
  prev_hash: string
}

/** How far a bottle's log goes. */
export interface Head {
  seq: number
  hash: string
}

export interface HeadLogPlace {
  /** The directory of all logs. */
  audit: string
  key: AuditKey
  act: Act
  now: () => Date
}

/** The name of no bottle: a slug made from a label ends in five characters of its own. */
export const headName = "head"
export const headPath = (audit: string): string => join(audit, `${headName}.jsonl`)

/** Bytes set aside for the ends of bottles on a full disk: about 300 lines. */
const reserveBytes = 128 * 1024

/** A head line that could not be written. `undone`: nothing of it is in the file. */
export interface HeadFailure {
  error: unknown
  undone: boolean
}

/**
 * Enter a bottle's new head, synced. Undefined when done. All keepers write this file, one at a time under its lock.
 * What it ends in is checked before it is built upon: a line that this key did not sign gets no successor, the chain
 * begins anew behind it, which `verify` reports for ever.
 */
export async function appendHead(place: HeadLogPlace, slug: string, head: Head): Promise<HeadFailure | undefined> {
  const { act, audit, key, now } = place
  const path = headPath(audit)
  const lock = await takeLock(path).catch((error: unknown): HeadFailure => ({ error, undone: true }))
  if ("error" in lock) return lock
  let file: FileHandle | undefined
  let size: number | undefined
  try {
    file = await open(path, "a+", 0o600)
    const tail = await readTail(file, (await file.stat()).size)
    const torn = tail.torn.length > 0 ? await setAside(file, path, tail, act) : undefined
    size = tail.whole
    const line = nextLine(tail.last, key, {
      schemaVersion: 1,
      timestamp: now().toISOString(),
      bottle_slug: slug,
      seq: head.seq,
      entry_hash: head.hash,
      key: key.id,
      ...(torn === undefined ? {} : { torn }),
    })
    const bytes = Buffer.from(`${line.text}\n`)
    const handle = file
    await act("head: write", () => handle.appendFile(bytes))
    await act("head: sync", () => handle.datasync())
    if (size === 0) await act("head: sync the directory", () => syncDir(audit))
    reserveSpace(handle.fd, size + bytes.length, reserveBytes)
    return undefined
  } catch (error) {
    const undone = size === undefined || (await cutBack(file, size))
    return { error, undone }
  } finally {
    await file?.close()
    lock.release()
  }
}

/** Take a line back that did not get all the way. */
export async function cutBack(file: FileHandle | undefined, size: number): Promise<boolean> {
  try {
    await file?.truncate(size)
    return true
  } catch {
    return false
  }
}

function nextLine(
  last: Buffer | undefined,
  key: AuditKey,
  entry: Omit<HeadEntry, "head_seq" | "prev_hash">,
): SealedLine {
  const before = last === undefined ? undefined : openLine(last)
  const n = before?.content.head_seq
  const sound =
    before?.intact === true && before.content.key === key.id && key.verifies(before.signed, before.signature)
  const link = sound && typeof n === "number" ? { head_seq: n + 1, prev_hash: before.hash } : undefined
  return seal({ ...entry, ...(link ?? { head_seq: 1, prev_hash: noHash }) } satisfies HeadEntry, key)
}

const chunkBytes = 1024 ** 2
/** Longer than any head line. */
const overlap = 4096

/** A bottle's newest head, looked for from the end; undefined: it has none. */
export async function findHead(audit: string, slug: string): Promise<Head | undefined> {
  const file = await open(headPath(audit), "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    for (let end = (await file.stat()).size; end > 0; ) {
      const start = Math.max(0, end - chunkBytes)
      const chunk = await readAt(file, start, Math.min(end + overlap, (await file.stat()).size) - start)
      const head = lastHeadIn(chunk, slug)
      if (head !== undefined) return head
      end = start
    }
    return undefined
  } finally {
    await file.close()
  }
}

function lastHeadIn(chunk: Buffer, slug: string): Head | undefined {
  const start = Buffer.from(`{"bottle_slug":${JSON.stringify(slug)},`)
  for (let at = chunk.lastIndexOf(start); at !== -1; at = at === 0 ? -1 : chunk.lastIndexOf(start, at - 1)) {
    const end = chunk.indexOf(0x0a, at)
    const line = end === -1 ? undefined : openLine(chunk.subarray(at, end))
    const { seq, entry_hash: hash } = line?.content ?? {}
    if (line?.intact && typeof seq === "number" && typeof hash === "string") return { seq, hash }
  }
  return undefined
}
