import { chmod, lstat, mkdir } from "node:fs/promises"
import { BottleError } from "./errors.ts"

/** The little of a directory's `lstat` that ownership is judged by. */
interface DirLook {
  isSymbolicLink(): boolean
  isDirectory(): boolean
  uid: number
  mode: number
}

/** Why a directory is not safe to keep sockets or state in, or undefined when it is. `uid` undefined skips ownership. */
export function whyNotPrivate(path: string, look: DirLook, uid: number | undefined): string | undefined {
  if (look.isSymbolicLink()) return `${path} is a symbolic link`
  if (!look.isDirectory()) return `${path} is not a directory`
  if (uid !== undefined && look.uid !== uid) return `${path} belongs to uid ${look.uid}, not to you (uid ${uid})`
  if ((look.mode & 0o077) !== 0) return `${path} is open to other users (mode ${(look.mode & 0o777).toString(8)})`
  return undefined
}

/**
 * Make a directory (and its parents) that only its owner can enter, and return its path. An existing one of ours
 * that is open to others is closed to 0700.
 */
export async function ensurePrivateDir(path: string): Promise<string> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 })
  // mkdir's mode passes the umask, and an existing directory keeps whatever mode it had.
  if (made === undefined && ((await lstat(path)).mode & 0o077) === 0) return path
  await chmod(path, 0o700)
  return path
}

/**
 * Make one directory below an existing parent and check that it is really ours: not a link, owned by us, 0700.
 * Throws `BottleError` (exit 4): in a shared parent such as /tmp somebody else may have been first.
 */
export async function claimPrivateDir(path: string, uid: number | undefined): Promise<string> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  const reason = whyNotPrivate(path, await lstat(path), uid)
  if (reason === undefined) return path
  throw new BottleError(`the runtime directory is not safe: ${reason}`, {
    code: "unsafe-runtime-dir",
    exit: "missingPart",
    hint: `remove it, or set XDG_RUNTIME_DIR to a directory that only you can enter`,
  })
}
