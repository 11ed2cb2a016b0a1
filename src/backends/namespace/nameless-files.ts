import { readdirSync, statSync } from "node:fs"
import { descendantsOf } from "./host-processes.ts"

/**
 * Bytes in files below a process that are open and have no name: on disk, and in no listing of any tree. Looked at
 * through the kernel's own links to open files, which lead through no name that an agent made. Only on the file
 * system of `dir`; each file once. A process that hides its files from us hides them from this count.
 */
export function namelessBytes(firstPid: number, dir: string): number {
  const device = statSync(dir).dev
  const files = new Map<number, number>()
  for (const pid of [firstPid, ...descendantsOf(firstPid)]) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      const file = look(`/proc/${pid}/fd/${fd}`)
      if (file?.isFile() && file.nlink === 0 && file.dev === device) files.set(file.ino, file.blocks * 512)
    }
  }
  return [...files.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function look(path: string) {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
