import type { Duplex } from "node:stream"
import type { PtySize } from "../../../../sidecars/guest/protocol.ts"
import { encodeFrame, type Frame, FrameKind, FrameReader } from "../../../lib/frames.ts"
import { askGuest } from "./guest-client.ts"

/**
 * A resumed session that fails this soon with nothing typed had nothing to resume, in ms. On a terminal a CLI may take
 * long to begin; without one, what failed later may have been at work.
 */
const nothingToResume = { terminal: 60_000, piped: 5_000 } as const

export interface SessionWant {
  argv: string[]
  /** Run instead when `argv` ends at once with an error (a resume flag without a session to resume). */
  fallback?: string[]
  env: Record<string, string>
  cwd: string
  pty: PtySize | null
  stdin: boolean
}

export interface SessionEnd {
  code: number
  signal: string | null
  /** The process ended by itself; false: client or guest went away and it was ended. */
  byItself: boolean
  /** It was the client that went away. */
  byClient: boolean
}

/**
 * Carry one session between a client and a process inside: frames both ways with back-pressure, until the process
 * ends or either side goes away. The exit frame is passed on last. Everything from the guest is bounded by the frame
 * reader; a malformed frame ends the session.
 */
export async function runSession(
  client: Duplex,
  connectGuest: () => Promise<Duplex>,
  want: SessionWant,
): Promise<SessionEnd> {
  const startedAt = performance.now()
  const first = await runOnce(client, connectGuest, want, want.fallback !== undefined)
  const failed = first.code !== 0 && first.signal === null
  const soon = nothingToResume[want.pty === null ? "piped" : "terminal"]
  const failedAtOnce = failed && !first.typed && performance.now() - startedAt < soon
  if (want.fallback === undefined || !first.byItself || !failedAtOnce) {
    if (want.fallback !== undefined && first.byItself) sendExit(client, first)
    return first
  }
  return runOnce(client, connectGuest, { ...want, argv: want.fallback }, false)
}

interface OneRun extends SessionEnd {
  typed: boolean
}

async function runOnce(
  client: Duplex,
  connectGuest: () => Promise<Duplex>,
  want: SessionWant,
  holdExit: boolean,
): Promise<OneRun> {
  const guest = await connectGuest()
  const { argv, env, cwd, pty, stdin } = want
  // The guest shares its user with the agent, which can hold it up for ever.
  const begun = askGuest(guest, { op: "start", argv, env, cwd, pty, stdin }).then(() => true)
  if (!(await Promise.race([begun, untilGone(client).then(() => false)]))) {
    guest.destroy()
    begun.catch(() => undefined)
    return { code: 129, signal: "SIGHUP", byItself: false, byClient: true, typed: false }
  }
  return new Promise((resolve) => {
    const fromGuest = new FrameReader()
    const fromClient = new FrameReader()
    let typed = false
    let end: SessionEnd | undefined

    const onGuestFrame = (frame: Frame) => {
      if (frame.kind === FrameKind.data || frame.kind === FrameKind.stderr) {
        if (!client.write(encodeFrame(frame.kind, frame.payload))) guest.pause()
      } else if (frame.kind === FrameKind.exit) {
        end = { ...readExit(frame.payload), byItself: true, byClient: false }
        finish()
      }
    }
    const onClientFrame = (frame: Frame) => {
      if (frame.kind > FrameKind.signal && frame.kind !== FrameKind.eof) return
      if (frame.kind === FrameKind.stderr) return
      if (frame.kind === FrameKind.data) typed = true
      if (!guest.write(encodeFrame(frame.kind as 0, frame.payload))) client.pause()
    }
    const feed = (reader: FrameReader, onFrame: (frame: Frame) => void) => (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) onFrame(frame)
      } catch {
        finish()
      }
    }
    const onGuestData = feed(fromGuest, onGuestFrame)
    const onClientData = feed(fromClient, onClientFrame)
    const onGuestDrain = () => client.resume()
    const onClientDrain = () => guest.resume()
    let finished = false
    const onClientGone = () => finish(true)
    const onGuestGone = () => finish(false)
    function finish(byClient = false) {
      if (finished) return
      finished = true
      client.off("data", onClientData).off("close", onClientGone).off("end", onClientGone).off("drain", onClientDrain)
      guest.destroy()
      const outcome = end ?? { code: 129, signal: "SIGHUP", byItself: false, byClient }
      if (!(holdExit && outcome.byItself)) sendExit(client, outcome)
      resolve({ ...outcome, typed })
    }
    guest.on("data", onGuestData).on("drain", onGuestDrain).on("close", onGuestGone).on("error", onGuestGone)
    client.on("data", onClientData).on("close", onClientGone).on("end", onClientGone).on("drain", onClientDrain)
    guest.resume()
    client.resume()
    // Either may have gone in the moment in which nobody listened.
    if (isGone(client)) finish(true)
    else if (isGone(guest)) finish()
  })
}

const isGone = (stream: Duplex): boolean => stream.destroyed || stream.readableEnded

function untilGone(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (isGone(stream)) return resolve()
    stream.once("close", resolve).once("end", resolve)
  })
}

function sendExit(client: Duplex, end: SessionEnd): void {
  if (client.writable) client.write(encodeFrame(FrameKind.exit, JSON.stringify({ code: end.code, signal: end.signal })))
}

/** The guest's word on how the process ended, forced into shape. */
function readExit(payload: Uint8Array): { code: number; signal: string | null } {
  try {
    const value = JSON.parse(new TextDecoder().decode(payload)) as { code?: unknown; signal?: unknown }
    const code = typeof value.code === "number" && Number.isInteger(value.code) ? value.code & 0xff : 1
    const signal = typeof value.signal === "string" && /^SIG[A-Z0-9]{1,10}$/.test(value.signal) ? value.signal : null
    return { code, signal }
  } catch {
    return { code: 1, signal: null }
  }
}
