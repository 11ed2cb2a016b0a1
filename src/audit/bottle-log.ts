import { type FileHandle, open } from "node:fs/promises"
import { dirname, join } from "node:path"
import { BottleError } from "../lib/errors.ts"
import { type FileLock, reserveSpace } from "../lib/kernel.ts"
import { ensurePrivateDir } from "../lib/private-dir.ts"
import { isSlug } from "../lib/slug.ts"
import { appendHead, cutBack, findHead, type Head, type HeadLogPlace, headName } from "./head-log.ts"
import { limitFact } from "./limit-fact.ts"
import { noHash, openLine, seal } from "./line.ts"
import { readTail, setAside, syncDir } from "./set-aside.ts"
import { takeLock } from "./take-lock.ts"
import type { AuditEntry, AuditFact } from "./types.ts"

/** Bytes set aside for a bottle's last entries on a full disk (SECURITY 26). */
const reserveBytes = 64 * 1024

/** The log of one bottle. Throws `BottleError` (exit 5) for what is no bottle's name. */
export function logPath(audit: string, slug: string): string {
  if (isSlug(slug) && slug !== headName) return join(audit, `${slug}.jsonl`)
  throw new BottleError("no bottle has this name", { code: "not-found", exit: "notFound" })
}

/** One bottle's log, open for writing and locked. Every failure leaves it to be opened again. */
export class BottleLog {
  readonly #place: HeadLogPlace
  readonly #slug: string
  readonly #file: FileHandle
  readonly #lock: FileLock
  #size: number
  #head: Head

  private constructor(place: HeadLogPlace, slug: string, file: FileHandle, lock: FileLock) {
    this.#place = place
    this.#slug = slug
    this.#file = file
    this.#lock = lock
    this.#size = 0
    this.#head = { seq: 0, hash: noHash }
  }

  /** Open it, made if it is not there, and go on where the last writer was, however that one ended. */
  static async open(place: HeadLogPlace, slug: string): Promise<BottleLog> {
    const path = logPath(place.audit, slug)
    await ensurePrivateDir(dirname(path))
    const lock = await place.act("log: create", () => takeLock(path))
    let file: FileHandle | undefined
    try {
      file = await open(path, "a+", 0o600)
      const log = new BottleLog(place, slug, file, lock)
      await log.#goOn(path)
      return log
    } catch (error) {
      await file?.close()
      lock.release()
      throw error
    }
  }

  /** Write one entry and its head. Throws what the disk says; there is no entry then, unless it says not even that. */
  async append(fact: AuditFact): Promise<AuditEntry> {
    const { act, key, now } = this.#place
    const content = {
      ...limitFact(fact),
      schemaVersion: 1 as const,
      seq: this.#head.seq + 1,
      timestamp: now().toISOString(),
      bottle_slug: this.#slug,
      prev_hash: this.#head.hash,
    }
    const { text, signature, hash } = seal(content, key)
    const bytes = Buffer.from(`${text}\n`)
    try {
      await act("log: write", () => this.#file.appendFile(bytes))
      await act("log: sync", () => this.#file.datasync())
    } catch (error) {
      await cutBack(this.#file, this.#size)
      throw error
    }
    const head = { seq: content.seq, hash }
    const failure = await appendHead(this.#place, this.#slug, head)
    if (failure !== undefined) {
      if (failure.undone) await cutBack(this.#file, this.#size)
      throw failure.error
    }
    this.#head = head
    this.#size += bytes.length
    this.#reserve()
    return { ...content, signature, hash }
  }

  /** Give it up, with the space that was held for it. */
  async close(): Promise<void> {
    await cutBack(this.#file, this.#size)
    await this.abandon()
  }

  /** Give it up as it is: what it ends in is looked at again by whoever opens it next. */
  async abandon(): Promise<void> {
    await this.#file.close()
    this.#lock.release()
  }

  async #goOn(path: string): Promise<void> {
    const { act, audit } = this.#place
    const { size } = await this.#file.stat()
    if (size === 0) {
      await act("log: sync the directory", () => syncDir(dirname(path)))
      this.#reserve()
      return
    }
    const tail = await readTail(this.#file, size)
    const torn = tail.torn.length > 0 ? await setAside(this.#file, path, tail, act) : undefined
    this.#size = tail.whole
    const head = await findHead(audit, this.#slug)
    const last = this.#ownLine(tail.last)
    if (last !== undefined && last.seq > (head?.seq ?? 0)) {
      // Its writer was killed between the two files.
      const failure = await appendHead(this.#place, this.#slug, last)
      if (failure !== undefined) throw failure.error
      this.#head = last
    } else if (head !== undefined) this.#head = head
    this.#reserve()
    if (torn === undefined) return
    await this.append({
      component: "session",
      operator_action: "repair",
      operator_notes: "",
      justification: "",
      diff: "",
      detail: { torn_bytes: tail.torn.length, torn_sha256: torn },
    })
  }

  /** What the log ends in, if this installation wrote it for this bottle. */
  #ownLine(line: Buffer | undefined): Head | undefined {
    const opened = line === undefined ? undefined : openLine(line)
    if (!opened?.intact || !this.#place.key.verifies(opened.signed, opened.signature)) return undefined
    const { seq, bottle_slug: slug } = opened.content
    return typeof seq === "number" && slug === this.#slug ? { seq, hash: opened.hash } : undefined
  }

  /** Where the file system holds no space in advance, a full disk is found out by the entry that fails. */
  #reserve(): void {
    reserveSpace(this.#file.fd, this.#size, reserveBytes)
  }
}
