import { type BottleError, ExitCode } from "../lib/errors.ts"
import { nearest } from "../lib/nearest.ts"
import { beforeDashes, parseLine } from "./_arguments.ts"
import { usageError } from "./_command.ts"
import { reportFailure } from "./_failure.ts"
import { createShell, type Shell } from "./_shell.ts"
import { type CommandEntry, commands } from "./index.ts"

/** Run the command line of this process, print what went wrong in one place, and exit. Never returns. */
export async function runMain(argv: readonly string[], scrubbed: readonly string[]): Promise<never> {
  const shell = openShell(argv, scrubbed)
  // Between two questions the terminal is not in raw mode, and Ctrl-C arrives as a signal.
  process.on("SIGINT", () => process.exit(ExitCode.cancelled))
  process.on("uncaughtException", (error) => process.exit(failQuietly(error, shell)))
  process.on("unhandledRejection", (error) => process.exit(failQuietly(error, shell)))
  process.exit(await runLine(argv, shell, commands).catch((error) => failQuietly(error, shell)))
}

/** A process without so much as a home is told so; nothing can be printed through a shell that is not there. */
function openShell(argv: readonly string[], scrubbed: readonly string[]): Shell {
  try {
    return createShell(process, argv, scrubbed)
  } catch (error) {
    process.exit(reportFailure(error, argv))
  }
}

/** Find the command that argv names, read its arguments strictly, and run it. Returns the exit code. */
export async function runLine(
  argv: readonly string[],
  shell: Shell,
  table: Readonly<Record<string, CommandEntry>>,
): Promise<number> {
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv
  const [name, ...rest] = words
  if (name === undefined || name === "--help" || name === "-h") {
    const { renderRootHelp } = await import("./_help.ts")
    if (name === undefined)
      throw usageError("no command given", "bottle --help lists the commands; bottle demo shows what it does")
    shell.print(renderRootHelp(table))
    return ExitCode.ok
  }
  const entry = Object.hasOwn(table, name) ? table[name] : undefined
  if (entry === undefined) throw unknownCommand(name, shownNames(table))
  const command = await entry.load()
  if (beforeDashes(rest).some((word) => word === "--help" || word === "-h")) {
    const { renderCommandHelp } = await import("./_help.ts")
    shell.print(renderCommandHelp(command))
    return ExitCode.ok
  }
  return command.run({ ...parseLine(command, rest), shell })
}

function shownNames(table: Readonly<Record<string, CommandEntry>>): string[] {
  return Object.keys(table).filter((name) => table[name]?.hidden !== true)
}

function unknownCommand(name: string, names: readonly string[]): BottleError {
  if (name.startsWith("-")) return usageError(`unknown flag ${name}`, "flags follow the command; see bottle --help")
  const near = nearest(name, names)
  return usageError(
    `unknown command ${name}`,
    near === undefined ? "bottle --help lists the commands" : `did you mean ${near}?`,
  )
}

/** `bottle list | head -1` closes our stdout: the reader has what it wanted. */
function failQuietly(error: unknown, shell: Shell): number {
  return (error as NodeJS.ErrnoException | null)?.code === "EPIPE" ? ExitCode.ok : shell.fail(error)
}
