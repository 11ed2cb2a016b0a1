import { createHash } from "node:crypto"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { type FileLock, lockFile } from "../lib/kernel.ts"

/**
 * Who shows proposals on which server: a review follows the queue by itself, so a second one is not opened beside it.
 * Locks of files, which end with their process: a popup that was closed or killed leaves nothing behind.
 */
export interface Reviews {
  /** Say that this process shows proposals on the server; undefined: another does already. */
  show(socket: string): FileLock | undefined
  isShown(socket: string): boolean
  /** The right to open one; undefined: somebody is opening it just now. */
  mayOpen(socket: string): FileLock | undefined
}

/** `root` is the runtime directory of this home, which no agent sees. */
export function openReviews(root: string): Reviews {
  const folder = join(root, ".reviews")
  const lock = (socket: string, kind: string) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const name = createHash("sha256").update(socket).digest("hex").slice(0, 16)
    return lockFile(join(folder, `${name}.${kind}`))
  }
  return {
    show: (socket) => lock(socket, "shown"),
    mayOpen: (socket) => lock(socket, "opening"),
    isShown(socket) {
      const free = lock(socket, "shown")
      free?.release()
      return free === undefined
    },
  }
}
