import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import { type FileLock, lockFile } from "../../lib/kernel.ts"
import { openStateDir, type Paths } from "../../lib/paths.ts"

/** How long a keeper that is to launch waits for one that is just ending, in ms. */
const patience = 3_000

const fileOf = (stateDir: string): string => join(stateDir, "keeper.lock")

/**
 * Be the one keeper of a bottle: two of them would settle and write at the same time. Held until this process ends.
 * Undefined: another one is. Throws `BottleError` where the state is another user's, as after a `sudo bottle`.
 */
export function ownBottle(stateDir: string): FileLock | undefined {
  try {
    return existsSync(stateDir) ? lockFile(fileOf(stateDir)) : undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === "EACCES" || code === "EPERM" ? foreign(stateDir) : error
  }
}

function foreign(stateDir: string): BottleError {
  return new BottleError(`${basename(stateDir)} is another user's, and is left alone`, {
    code: "foreign-state",
    exit: "failed",
    hint: `whoever started it can end it: ls -ld ${stateDir}`,
  })
}

/** The same for a bottle at rest, whose last keeper may be on its way out. */
export async function ownRestingBottle(stateDir: string): Promise<FileLock | undefined> {
  const limit = performance.now() + patience
  for (;;) {
    const lock = ownBottle(stateDir)
    if (lock !== undefined || performance.now() > limit) return lock
    await Bun.sleep(20)
  }
}

/** The same for a launch, which makes the state directory and gives a keeper that is ending a moment. */
export async function ownNewBottle(paths: Paths, slug: string): Promise<FileLock | undefined> {
  const limit = performance.now() + patience
  for (;;) {
    // Again each time: the one that is ending may remove it.
    const lock = ownBottle(await openStateDir(paths, slug))
    if (lock !== undefined || performance.now() > limit) return lock
    await Bun.sleep(20)
  }
}
