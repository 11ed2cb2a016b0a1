import { BottleError } from "../lib/errors.ts"
import { type FileLock, lockFile } from "../lib/kernel.ts"

/** How long another writer is waited for, in ms: it holds a file as long as the disk takes for one line. */
const patience = 15_000
const longestPause = 20

/** Own a log for writing, made if it is not there. Throws `BottleError` (exit 1) when another process keeps it. */
export async function takeLock(path: string): Promise<FileLock> {
  const limit = performance.now() + patience
  for (let pause = 1; ; pause = Math.min(pause * 2, longestPause)) {
    const lock = lockFile(path)
    if (lock !== undefined) return lock
    if (performance.now() > limit) {
      throw new BottleError(`another process keeps ${path} locked`, {
        code: "audit-locked",
        exit: "failed",
        hint: `see which: fuser ${path}`,
      })
    }
    await Bun.sleep(pause)
  }
}
