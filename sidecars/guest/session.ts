import { closeSync, constants, openSync, readlinkSync } from "node:fs"
import { constants as os } from "node:os"
import { encodeChunks, encodeFrame, type Frame, FrameKind } from "../../src/lib/frames.ts"
import type { Libc } from "./libc.ts"
import { endSession, listProcesses, membersOf, signal } from "./processes.ts"
import type { GuestRequest, PtySize } from "./protocol.ts"
import type { WriteQueue } from "./write-queue.ts"

export type StartRequest = Extract<GuestRequest, { op: "start" }>

/** A process in a session of its own, joined to one connection. */
export interface Session {
  pid: number
  /** Input and commands from the keeper. Resolves when the process can take more. */
  take(frame: Frame): Promise<void>
  /** The connection ended: end what it started. */
  hangUp(): Promise<void>
  /** Resolves once the exit frame is handed to the connection. */
  finished: Promise<void>
}

const ttyFlow = { TCXONC: 0x540a, TCOOFF: 0, TCOON: 1 } as const
/** After the process ended, output that a leftover child holds open is waited for until it is quiet this long. */
const quietMilliseconds = 250

/**
 * Start a process with exactly the given environment, on a pseudo-terminal made here or with pipes, as leader of its
 * own session. Output goes into `out` as frames, no faster than it is taken; the exit frame is the last one.
 * Throws when the program cannot be started.
 */
export function startSession(request: StartRequest, out: WriteQueue, libc: () => Libc): Session {
  return request.pty === null ? startPiped(request, out) : startOnTerminal(request, request.pty, out, libc)
}

function environmentOf(request: StartRequest): Record<string, string> {
  // The bottle binary is a JavaScript runtime: these two would make it somebody else's.
  const { BUN_OPTIONS: _options, BUN_BE_BUN: _beBun, ...env } = request.env
  return env
}

function startOnTerminal(request: StartRequest, size: PtySize, out: WriteQueue, libc: () => Libc): Session {
  const activity = new Activity()
  let held = false
  // Made by the spawn and not before it: only then does Bun 1.4.5 make it the session's controlling terminal, without
  // which there is no job control and no interrupt key.
  const child = Bun.spawn([...request.argv], {
    cwd: request.cwd,
    env: environmentOf(request),
    terminal: {
      cols: size.cols,
      rows: size.rows,
      data(_terminal, bytes) {
        activity.seen()
        const room = encodeChunks(FrameKind.data, bytes).reduce((free, frame) => out.write(frame) && free, true)
        if (room || held) return
        // A terminal has no pause; its own ^S has: writers block in the kernel until the keeper has caught up.
        held = true
        setFlow(libc, child.pid, ttyFlow.TCOOFF)
        void out.drained().then(() => {
          held = false
          setFlow(libc, child.pid, ttyFlow.TCOON)
        })
      },
      exit: () => activity.end(),
    },
  })
  const { terminal } = child
  if (terminal === undefined) throw new Error("no terminal was made")
  return {
    pid: child.pid,
    async take(frame) {
      if (frame.kind === FrameKind.data) await writeTerminal(terminal, frame.payload)
      else if (frame.kind === FrameKind.resize) resize(terminal, frame.payload)
      else if (frame.kind === FrameKind.signal) signalGroup(child.pid, frame.payload)
      // End of input on a terminal is a key, not a close.
      else if (frame.kind === FrameKind.eof) await writeTerminal(terminal, new Uint8Array([4]))
    },
    hangUp: () => endSession(child.pid),
    finished: finish(child, activity, out).finally(() => terminal.close()),
  }
}

function startPiped(request: StartRequest, out: WriteQueue): Session {
  const child = Bun.spawn([...request.argv], {
    cwd: request.cwd,
    env: environmentOf(request),
    stdio: [request.stdin ? "pipe" : "ignore", "pipe", "pipe"],
    detached: true,
  })
  const activity = new Activity()
  const copies = [
    copyOut(child.stdout, FrameKind.data, out, activity),
    copyOut(child.stderr, FrameKind.stderr, out, activity),
  ]
  void Promise.all(copies).then(() => activity.end())
  return {
    pid: child.pid,
    async take(frame) {
      if (frame.kind === FrameKind.signal) signalGroup(child.pid, frame.payload)
      if (child.stdin === undefined) return
      try {
        if (frame.kind === FrameKind.data) {
          child.stdin.write(frame.payload)
          await child.stdin.flush()
        } else if (frame.kind === FrameKind.eof) await child.stdin.end()
      } catch {
        // The process closed its input: what is typed from here on has no reader.
      }
    },
    hangUp: () => endSession(child.pid),
    finished: finish(child, activity, out),
  }
}

/** Whether output still comes, and whether it is over. */
class Activity {
  last = performance.now()
  over = false
  seen(): void {
    this.last = performance.now()
  }
  end(): void {
    this.over = true
  }
}

async function copyOut(
  from: ReadableStream<Uint8Array>,
  kind: 0 | 1,
  out: WriteQueue,
  activity: Activity,
): Promise<void> {
  try {
    for await (const bytes of from) {
      activity.seen()
      for (const frame of encodeChunks(kind, bytes)) out.write(frame)
      await out.drained()
    }
  } catch {
    // A pipe that breaks has ended.
  }
}

async function finish(child: Bun.Subprocess, activity: Activity, out: WriteQueue): Promise<void> {
  await child.exited
  activity.seen()
  while (!activity.over) {
    await out.drained()
    if (performance.now() - activity.last > quietMilliseconds) break
    await Bun.sleep(5)
  }
  const signalName = child.signalCode === null ? null : String(child.signalCode)
  const number = Object.entries(os.signals).find(([name]) => name === signalName)?.[1] ?? 0
  const code = child.exitCode ?? 128 + number
  out.write(encodeFrame(FrameKind.exit, JSON.stringify({ code, signal: signalName })))
  await out.drained()
}

async function writeTerminal(terminal: Bun.Terminal, bytes: Uint8Array): Promise<void> {
  if (terminal.closed) return
  try {
    terminal.write(bytes)
  } catch {
    // The process is gone; its exit frame is on the way.
  }
}

function resize(terminal: Bun.Terminal, payload: Uint8Array): void {
  const size = parseObject(payload)
  const inRange = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) > 0 && Number(value) < 10_000
  if (!terminal.closed && inRange(size.cols) && inRange(size.rows)) terminal.resize(size.cols, size.rows)
}

function signalGroup(leader: number, payload: Uint8Array): void {
  const name = String(parseObject(payload).signal)
  if (name in os.signals && membersOf(leader, listProcesses()).length > 0) signal(-leader, name as NodeJS.Signals)
}

function parseObject(payload: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload))
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Stop or continue what is written to the terminal of `pid`. Without its terminal there is nothing to stop. */
function setFlow(libc: () => Libc, pid: number, action: number): void {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/0`)
    if (!path.startsWith("/dev/pts/")) return
    const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
    libc().ioctl(fd, ttyFlow.TCXONC, action)
    closeSync(fd)
  } catch {
    // The process is gone, and its output with it.
  }
}
