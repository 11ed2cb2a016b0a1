import { fstatSync } from "node:fs"
import type { Socket } from "node:net"
import type { PtySize } from "../../sidecars/guest/protocol.ts"
import { openSession } from "../bottle/client.ts"
import { type RelayEnd, type RelayEnds, type RelayFilter, relaySession } from "../bottle/relay.ts"
import { settledLines } from "../bottle/settle.ts"
import { ExitCode } from "../lib/errors.ts"
import { byteSink, isTerminal } from "../lib/stdio.ts"
import type { TerminalGuard } from "../ui/terminal-guard.ts"
import type { Shell } from "./_shell.ts"

/** Whether the process inside gets a pty, else pipes. What reaches a terminal is filtered either way (SECURITY 22). */
export interface SessionMode {
  tty: boolean
  stdin: boolean
}

/** Attach to a bottle's agent until its session ends. Returns the agent's exit code; says how the bottle was settled. */
export async function runAttached(slug: string, mode: SessionMode, shell: Shell): Promise<number> {
  const socket = await openSession(shell.paths, slug, { op: "attach", ...place(mode, shell), stdin: mode.stdin })
  const marked = mode.tty ? markedPane(slug, shell) : undefined
  const end = await relay(socket, mode, shell)
  await marked?.then((unmark) => unmark?.())
  if (end.settled !== undefined) for (const line of settledLines(slug, end.settled)) shell.log.info(line)
  return exitCodeOf(end, slug, shell)
}

/** In a pane of tmux the bottle's tag is put on while it is attached, beside everything else. */
async function markedPane(slug: string, shell: Shell): Promise<(() => Promise<unknown>) | undefined> {
  const { TMUX: server = "", TMUX_PANE: pane = "" } = shell.env
  const [socket = ""] = server.split(",")
  if (socket === "" || !/^%\d+$/.test(pane)) return undefined
  const { markPane } = await import("./tmux/mark-pane.ts")
  return markPane(slug, { socket, pane }, shell).catch(() => undefined)
}

/** Run one more program beside the agent. */
export async function runBeside(slug: string, argv: string[], mode: SessionMode, shell: Shell): Promise<number> {
  const socket = await openSession(shell.paths, slug, { op: "exec", argv, ...place(mode, shell), stdin: mode.stdin })
  return exitCodeOf(await relay(socket, mode, shell), slug, shell)
}

function exitCodeOf(end: RelayEnd, slug: string, shell: Shell): number {
  if (end.exitCode !== undefined) return end.exitCode
  shell.log.error(`the connection to ${slug} ended before its process did`)
  shell.log.info(`  hint: bottle list, then bottle attach ${slug}`)
  return ExitCode.ourFailure
}

function place(mode: SessionMode, shell: Shell): { pty: PtySize | null; term: string } {
  const term = shell.env.TERM ?? ""
  return {
    pty: mode.tty ? terminalSize() : null,
    // The name chooses a file of the terminfo tree inside: nothing but a plain name passes.
    term: /^[A-Za-z0-9][A-Za-z0-9.+-]{0,40}$/.test(term) ? term : "xterm-256color",
  }
}

async function relay(socket: Socket, mode: SessionMode, shell: Shell): Promise<RelayEnd> {
  const { guard, ...filters } = await terminalFilters(mode)
  try {
    return await relaySession(socket, { ...relayEnds(mode, shell), ...filters })
  } finally {
    await guard?.release()
  }
}

function relayEnds(mode: SessionMode, shell: Shell): RelayEnds {
  const input = mode.stdin ? shell.stdin : undefined
  const plain = { input, raw: mode.tty, output: byteSink(1), errors: byteSink(2) }
  if (!mode.tty) return plain
  return {
    ...plain,
    onResize(listener) {
      const resized = () => listener(terminalSize())
      process.stdout.on("resize", resized)
      return () => process.stdout.off("resize", resized)
    },
  }
}

/**
 * A filter for each of our outputs that is a terminal, whatever the process inside writes to: a pty or pipes. Where both
 * are the same terminal they share one filter, since the terminal reads them as one stream too.
 */
async function terminalFilters(
  mode: SessionMode,
): Promise<Pick<RelayEnds, "filter" | "errorsFilter"> & { guard?: TerminalGuard }> {
  const [output, errors] = [mode.tty || isTerminal(1), isTerminal(2)]
  if (!output && !errors) return {}
  const [{ createTerminalFilter }, { guardTerminal }] = await Promise.all([
    import("../ui/terminal-filter/index.ts"),
    import("../ui/terminal-guard.ts"),
  ])
  const create = () => createTerminalFilter({ takesInput: mode.tty && mode.stdin })
  const filter = create()
  if (!isTerminal(1)) {
    return { ...(output ? { filter } : {}), ...(errors ? { errorsFilter: create() } : {}) }
  }
  const guard = guardTerminal(1)
  const guarded: RelayFilter = {
    push(chunk) {
      const safe = filter.push(chunk)
      guard?.note(filter.pending())
      return safe
    },
    end: () => filter.end(),
    get hasAskedForReports() {
      return filter.hasAskedForReports
    },
  }
  const errorsFilter = !errors ? undefined : isSameDevice(1, 2) ? guarded : create()
  return {
    filter: guarded,
    ...(errorsFilter === undefined ? {} : { errorsFilter }),
    ...(guard === undefined ? {} : { guard }),
  }
}

function terminalSize(): PtySize {
  return { cols: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
}

function isSameDevice(one: number, other: number): boolean {
  try {
    return fstatSync(one).rdev === fstatSync(other).rdev
  } catch {
    return false
  }
}
