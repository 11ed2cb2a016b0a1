import { createHash, randomBytes } from "node:crypto"
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { lockFile } from "../../lib/kernel.ts"
import type { HostLogin } from "../../providers/host-login.ts"

/** The file a CLI keeps its login in, with the one way to change it. */
export interface LoginFile {
  /** Undefined: it is not there, or cannot be read. */
  read(): string | undefined
  /** The right to renew, against other processes of ours and, where it has a lock, the CLI itself; undefined: taken. */
  lock(own: HostLogin["ownLock"]): { release(): void } | undefined
  /** Room on disk beside the file, 0600, that becomes the file by `commit`. `like` is its size, roughly. */
  reserve(like: string): { kind: "room"; commit(text: string): void; abandon(): void } | { kind: "no"; why: string }
}

const maxBytes = 1024 * 1024

/** `locks`: a private directory that every keeper of this person's shares, whatever its BOT_BOTTLE_HOME. */
export function loginFile(path: string, locks: string): LoginFile {
  return {
    read() {
      try {
        const look = statSync(path)
        return look.isFile() && look.size <= maxBytes ? readFileSync(path, "utf8") : undefined
      } catch {
        return undefined
      }
    },
    lock(own) {
      const name = createHash("sha256").update(realOf(path)).digest("hex").slice(0, 16)
      const ours = lockFile(join(locks, `login-${name}.lock`))
      if (ours === undefined) return undefined
      const theirs = own === undefined ? undefined : takeDirectory(join(dirname(path), own.name), own.stale)
      if (theirs !== false) {
        return {
          release() {
            theirs?.()
            ours.release()
          },
        }
      }
      ours.release()
      return undefined
    },
    reserve: (like) => reserve(realOf(path), like),
  }
}

/** A file that is a link is changed where it lies. */
function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** A lock that is a directory, as several CLIs have it. False: somebody holds it. */
function takeDirectory(path: string, stale: number): (() => void) | false {
  try {
    mkdirSync(path)
    return () => removeDirectory(path)
  } catch {
    try {
      // Left behind by one that was killed; the next look takes it.
      if (Date.now() - statSync(path).mtimeMs > stale) removeDirectory(path)
    } catch {
      // It is gone, or the folder cannot be written: reserving says so.
    }
    return false
  }
}

function removeDirectory(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Somebody else was faster.
  }
}

function reserve(path: string, like: string): ReturnType<LoginFile["reserve"]> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`)
  let file: number
  try {
    file = openSync(temporary, "wx", 0o600)
  } catch (error) {
    return { kind: "no", why: unwritable(path, error) }
  }
  let open = true
  const close = () => {
    if (open) closeSync(file)
    open = false
  }
  const abandon = () => {
    close()
    // After a commit there is nothing of this name.
    rmSync(temporary, { force: true })
  }
  try {
    // More than the new one can need, as a full disk refuses what is written and not what is opened.
    const room = Buffer.alloc(Buffer.byteLength(like) + 16 * 1024, " ")
    writeSync(file, room, 0, room.length, 0)
    fsyncSync(file)
  } catch (error) {
    abandon()
    return { kind: "no", why: unwritable(path, error) }
  }
  return {
    kind: "room",
    commit(text) {
      const bytes = Buffer.from(text)
      writeSync(file, bytes, 0, bytes.length, 0)
      ftruncateSync(file, bytes.length)
      fsyncSync(file)
      close()
      renameSync(temporary, path)
    },
    abandon,
  }
}

function unwritable(path: string, error: unknown): string {
  return `${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`
}
