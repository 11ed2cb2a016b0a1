import { rememberTrust, type Trust, trustOf } from "../bottle/trust.ts"
import { cancelled } from "../lib/terminal.ts"
import type { Origin } from "../manifest/types.ts"
import type { Shell } from "./_shell.ts"

/** A repository's agent file is agreed to once for each content of it (SECURITY 23). Throws `BottleError` (exit 130). */
export async function askTrust(origin: Origin | undefined, shell: Shell): Promise<void> {
  const trust = await sayTrust(origin, shell)
  if (origin === undefined || trust.kind === "own" || trust.kind === "trusted") return
  const question = `trust this ${trust.kind === "changed" ? "changed " : ""}agent file of the repository?`
  const otherwise = "in a terminal once, or --headless with --bottle NAME"
  if (!(await shell.terminal.confirm(question, otherwise))) throw cancelled()
  await rememberTrust(origin, shell.paths)
}

/** What is known of the file, for the preflight. */
export async function sayTrust(origin: Origin | undefined, shell: Shell): Promise<Trust> {
  const trust = await trustOf(origin, shell.paths)
  const file = `${origin?.display} (sha256 ${origin?.sha256.slice(0, 12)})`
  if (trust.kind === "trusted") shell.log.info(`  you have trusted ${file} before`)
  if (trust.kind === "new") shell.log.warn(`${file} comes from this repository and is new to you: read it first`)
  if (trust.kind === "changed") {
    shell.log.warn(`${file} HAS CHANGED since you trusted it on ${trust.since.slice(0, 10)}: read it again`)
  }
  return trust
}
