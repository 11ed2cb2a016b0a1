import { ownBottle } from "../keeper/own.ts"

/** Nobody is at work on this bottle at rest: its lock is free. */
export function isIdle(stateDir: string): boolean {
  return whileIdle(stateDir, () => undefined)
}

/** Act as its owner; false: somebody else is. */
export function whileIdle(stateDir: string, act: () => void): boolean {
  const lock = ownBottle(stateDir)
  if (lock === undefined) return false
  try {
    act()
    return true
  } finally {
    lock.release()
  }
}
