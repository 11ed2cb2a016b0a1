import type { Log } from "../lib/log.ts"
import { createLog } from "../lib/log.ts"
import type { Paths } from "../lib/paths.ts"
import { createPaths } from "../lib/paths.ts"
import { isTerminal, writeAll } from "../lib/stdio.ts"
import type { Terminal } from "../lib/terminal.ts"
import { createTerminal } from "../lib/terminal.ts"
import { safeJson } from "../ui/safe-text.ts"
import { reportFailure } from "./_failure.ts"

export type Environment = Readonly<Record<string, string | undefined>>

/** What a command gets from the process it runs in; tests give their own. */
export interface Shell {
  env: Environment
  cwd: string
  paths: Paths
  terminal: Terminal
  stdin: NodeJS.ReadStream
  /** Data for the next program: stdout, as given plus a newline. */
  print(text: string): void
  /** Data as JSON on stdout, with `schemaVersion: 1` in front. */
  printJson(value: object): void
  /** Words for the person: stderr, made safe for a terminal. */
  log: Log
  /** Print a failure, as words or under `--json` as data, and return its exit code. The only place that does. */
  fail(error: unknown): number
  /** Names taken out of the environment at start-up. */
  scrubbed: readonly string[]
}

/** The one wiring of commands to the process. */
export function createShell(process: NodeJS.Process, argv: readonly string[], scrubbed: readonly string[]): Shell {
  const print = (text: string) => writeAll(1, `${text}\n`)
  return {
    env: process.env,
    cwd: process.cwd(),
    paths: createPaths(process.env),
    terminal: createTerminal(isTerminal(0) && isTerminal(1), () => ({ input: process.stdin, output: process.stdout })),
    get stdin() {
      return process.stdin
    },
    print,
    printJson: (value) => print(safeJson({ schemaVersion: 1, ...value })),
    log: createLog((text) => writeAll(2, text)),
    fail: (error) => reportFailure(error, argv),
    scrubbed,
  }
}
