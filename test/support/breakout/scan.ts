import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs"
import { join } from "node:path"
import { formsOf } from "./decode.ts"

/** What was looked at for a secret, and where it was. */
export interface Scan {
  places: number
  bytes: number
  found: string[]
}

export const emptyScan = (): Scan => ({ places: 0, bytes: 0, found: [] })

/** Looks for a secret in every form that carries data out. One for all places of a test, so that they are counted together. */
export class SecretScanner {
  readonly scan = emptyScan()
  readonly #forms: readonly (readonly [name: string, text: string])[]
  /** Forms of a value in upper case or with dots are no encodings of ours to write. */
  constructor(secret: string) {
    this.#forms = formsOf(secret)
  }

  bytes(where: string, bytes: Buffer): void {
    this.scan.places += 1
    this.scan.bytes += bytes.length
    const form = this.#forms.find(([, text]) => bytes.includes(text, 0, "latin1"))?.[0]
    if (form !== undefined) this.scan.found.push(`${where} (${form})`)
  }

  /** Every regular file below a directory; links are not followed, nor is what `skip` names. */
  tree(dir: string, skip: (path: string) => boolean = () => false): void {
    for (const name of list(dir)) {
      const path = join(dir, name)
      if (skip(path)) continue
      this.bytes(`name of ${path}`, Buffer.from(name))
      const kind = lstatSync(path, { throwIfNoEntry: false })
      if (kind?.isDirectory()) this.tree(path, skip)
      else if (kind?.isFile()) this.#file(path)
    }
  }

  /** What the kernel tells of a process: command line, environment. */
  process(pid: number): void {
    for (const part of ["cmdline", "environ", "comm"]) {
      try {
        this.bytes(`/proc/${pid}/${part}`, readFileSync(`/proc/${pid}/${part}`))
      } catch {
        // It has ended.
      }
    }
  }

  /** All memory of a process that it could have written. */
  memory(pid: number): void {
    let maps: string
    try {
      maps = readFileSync(`/proc/${pid}/maps`, "utf8")
    } catch {
      return
    }
    const mem = openSync(`/proc/${pid}/mem`, "r")
    for (const line of maps.split("\n")) {
      const [, from = "", to = "", access = ""] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? []
      if (!access.startsWith("rw")) continue
      this.#region(mem, pid, Number.parseInt(from, 16), Number.parseInt(to, 16))
    }
    closeSync(mem)
  }

  #region(mem: number, pid: number, from: number, to: number): void {
    const step = 4 * 1024 * 1024
    const overlap = 1024
    // A runtime reserves more than it uses: pages that were never touched read as nothing or not at all.
    if (to - from > 1024 ** 3) return
    const buffer = Buffer.alloc(step + overlap)
    for (let at = from; at < to; at += step) {
      try {
        const size = readSync(mem, buffer, 0, Math.min(step + overlap, to - at), at)
        this.bytes(`memory of ${pid} at ${at.toString(16)}`, buffer.subarray(0, size))
      } catch {
        return
      }
    }
  }

  #file(path: string): void {
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        // The binary itself is in every place; a file as large holds no text of ours.
        if (fstatSync(fd).size < 64 * 1024 * 1024) this.bytes(path, readFileSync(fd))
      } finally {
        closeSync(fd)
      }
    } catch {
      // Gone, or the kernel's own.
    }
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
