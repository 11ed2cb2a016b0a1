import { randomBytes } from "node:crypto"
import { existsSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../../lib/errors.ts"

/** Bytes held back in each running bottle's state, to be given up for its last words on a full disk (SECURITY 26). */
const reserveBytes = 128 * 1024

const fileOf = (stateDir: string): string => join(stateDir, ".reserve")

/** Random bytes: a file system that compresses would keep no space for others. */
export function holdReserve(stateDir: string): void {
  if (!existsSync(fileOf(stateDir))) writeFileSync(fileOf(stateDir), randomBytes(reserveBytes), { mode: 0o600 })
}

export function freeReserve(stateDir: string): void {
  rmSync(fileOf(stateDir), { force: true })
}

const noSpace = new Set(["ENOSPC", "EDQUOT"])

/** Why something could not be written, in words that say what to do. */
export function whyUnwritable(error: unknown, home: string): string {
  if (error instanceof BottleError) return `it could not be ended: ${error.message}`
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code !== undefined && noSpace.has(code)) return `the disk is full: nothing more can be written to ${home}`
  return `its state cannot be written: ${error instanceof Error ? error.message : String(error)}`
}
