import { randomBytes } from "node:crypto"
import { mkdir, open, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

/**
 * The steps by which what must survive a crash comes to be on disk, one call a step: a test that fails, or kills the
 * process, before and after each of them has tried every place where it could stop.
 */
export interface Disk {
  makeDir(path: string): Promise<void>
  /** A new file, 0600; it must not be there. */
  create(path: string, text: string): Promise<void>
  /** A file, or a directory's entries. */
  sync(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** No error when it is gone. */
  remove(path: string): Promise<void>
}

export const realDisk: Disk = {
  async makeDir(path) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  async create(path, text) {
    const file = await open(path, "wx", 0o600)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
  },
  async sync(path) {
    const file = await open(path, "r")
    try {
      await file.sync()
    } catch (error) {
      // Some file systems cannot sync a directory; the rename itself has happened.
      if (!["EINVAL", "ENOTSUP", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error
    } finally {
      await file.close()
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
}

/** Leftovers of a crash in `replaceFile`: never read, and swept when a directory is opened. */
export const isTemporary = (name: string): boolean => name.startsWith(".") && name.endsWith(".tmp")

/** Write a file as a whole: a reader, or a crash at any step, sees the old content or the new. */
export async function replaceFile(disk: Disk, path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`)
  try {
    await disk.create(temporary, text)
    await disk.sync(temporary)
    await disk.rename(temporary, path)
  } catch (error) {
    await disk.remove(temporary).catch(() => undefined)
    throw error
  }
  await disk.sync(dirname(path))
}

/** Move a file within one file system, durably. */
export async function moveFile(disk: Disk, from: string, to: string): Promise<void> {
  await disk.rename(from, to)
  await disk.sync(dirname(to))
  await disk.sync(dirname(from))
}
