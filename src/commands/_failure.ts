import { appendFileSync, mkdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { BottleError, ExitCode } from "../lib/errors.ts"
import { createPaths } from "../lib/paths.ts"
import { writeAll } from "../lib/stdio.ts"
import { version } from "../lib/version.ts"
import { safeJson, safeText } from "../ui/safe-text.ts"
import { beforeDashes } from "./_arguments.ts"

/** A failure as it is shown: `error` in `--json`, two lines for a person. */
export interface Failure {
  code: string
  message: string
  hint?: string
  exitCode: number
}

/** Print a failure of this process, as words on stderr or under `--json` as data on stdout; returns its exit code. */
export function reportFailure(error: unknown, argv: readonly string[]): number {
  // Where everything is kept matters to a crash alone, and may be what cannot be found out.
  const logs = error instanceof BottleError ? "" : createPaths(process.env).logs
  const failure = describeFailure(error, logs, argv[0] ?? "")
  if (beforeDashes(argv).includes("--json")) writeAll(1, failureJson(failure))
  else writeAll(2, failureText(failure))
  return failure.exitCode
}

/**
 * Turn whatever was thrown into a failure to show. What nobody planned goes to `logs/crash.log` with its stack (a
 * file in the temporary directory where that is not writable), and the terminal gets one line and that path.
 */
export function describeFailure(error: unknown, logs: string, command: string): Failure {
  if (error instanceof BottleError) {
    const { code, message, hint, exitCode } = error
    return hint === undefined ? { code, message, exitCode } : { code, message, hint, exitCode }
  }
  const log = writeCrash(error, logs, command)
  const said = error instanceof Error ? error.message : String(error)
  return {
    code: "internal",
    message: `bottle itself failed: ${said.split("\n")[0]}`,
    hint: log === undefined ? "no crash log could be written" : `details are in ${log}`,
    exitCode: ExitCode.failed,
  }
}

/** The words for a person: `error: message`, then the hint, safe for a terminal. */
export function failureText(failure: Failure): string {
  const lines = failure.message.split("\n").map((line) => safeText(line))
  if (failure.hint !== undefined) lines.push(`  hint: ${safeText(failure.hint)}`)
  return `error: ${lines.join("\n")}\n`
}

/** The same as data. */
export function failureJson(failure: Failure): string {
  const { code, message, hint } = failure
  return `${safeJson({ schemaVersion: 1, error: { code, message, hint } }, 0)}\n`
}

function writeCrash(error: unknown, logs: string, command: string): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  // The command's name only: other arguments may quote what the agent or the operator wrote.
  const entry = `${new Date().toISOString()} bottle ${version} ${JSON.stringify(command)}\n${stack}\n\n`
  for (const path of [join(logs, "crash.log"), join(tmpdir(), `bottle-crash-${process.pid}.log`)]) {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      appendFileSync(path, entry, { mode: 0o600 })
      return path
    } catch {
      // The next place, or none: a crash while reporting a crash helps nobody.
    }
  }
  return undefined
}
