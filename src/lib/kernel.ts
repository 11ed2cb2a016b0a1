import { dlopen, ptr } from "bun:ffi"
import { closeSync, fstatSync, openSync, statSync } from "node:fs"

/** Calls that Bun has no name for, of this process's own C library: glibc's name first, then musl's, then macOS's. */
function openLibrary() {
  let failure: unknown
  for (const name of ["libc.so.6", "libc.so", "libSystem.B.dylib"]) {
    try {
      return dlopen(name, {
        flock: { args: ["i32", "i32"], returns: "i32" },
        setrlimit: { args: ["i32", "ptr"], returns: "i32" },
      })
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

const exclusiveNow = 2 | 4
const coreSize = 4

export interface FileLock {
  release(): void
}

/**
 * Take a file for this process alone, or undefined when another has it. The kernel gives it back when the process
 * ends, however it ends; children do not inherit it. A file that was replaced or removed meanwhile is not taken.
 */
export function lockFile(path: string): FileLock | undefined {
  const fd = openSync(path, "a", 0o600)
  const { symbols, close } = openLibrary()
  try {
    if (symbols.flock(fd, exclusiveNow) === 0 && isStill(fd, path)) return { release: () => closeSync(fd) }
  } finally {
    close()
  }
  closeSync(fd)
  return undefined
}

function isStill(fd: number, path: string): boolean {
  try {
    return statSync(path).ino === fstatSync(fd).ino
  } catch {
    return false
  }
}

/** From here on neither this process nor what it starts writes a core file (SECURITY 6, 28). Throws where it cannot be. */
export function forbidCoreFiles(): void {
  const { symbols, close } = openLibrary()
  try {
    if (symbols.setrlimit(coreSize, ptr(new BigUint64Array(2))) !== 0) throw new Error("core files cannot be forbidden")
  } finally {
    close()
  }
}

const keepSize = 1

/**
 * Have the file system set `length` bytes from `offset` on aside for this file, whose size stays: what is written there
 * later succeeds on a full disk. False where the system or the file system cannot, or has no space left.
 */
export function reserveSpace(fd: number, offset: number, length: number): boolean {
  for (const name of ["libc.so.6", "libc.so"]) {
    try {
      const { symbols, close } = dlopen(name, { fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" } })
      const held = symbols.fallocate(fd, keepSize, offset, length) === 0
      close()
      return held
    } catch {
      // The other C library's name, or none that has the call.
    }
  }
  return false
}
