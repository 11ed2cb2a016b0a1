import type { Socket } from "node:net"
import type { PtySize } from "../../sidecars/guest/protocol.ts"
import { encodeChunks, encodeFrame, type Frame, FrameKind, FrameReader } from "../lib/frames.ts"
import type { ByteSink } from "../lib/stdio.ts"
import type { Settled } from "./keeper/protocol.ts"

/** What a relay needs of the operator's terminal, or of pipes. */
export interface RelayEnds {
  /** Undefined: the agent has a closed stdin. */
  input: (NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown }) | undefined
  /** Keys go in as they are typed, for a terminal inside; else the operator's terminal keeps its lines and signals. */
  raw: boolean
  output: ByteSink
  errors: ByteSink
  /** Makes what comes out harmless for the terminal (SECURITY 22); absent for pipes. */
  filter?: RelayFilter
  /** The same for `errors`; where both are one terminal, one filter serves both. */
  errorsFilter?: RelayFilter
  /** Called with a listener for size changes; returns how to stop listening. */
  onResize?(listener: (size: PtySize) => void): () => void
}

export interface RelayFilter {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
  /** Whether the terminal was ever made to type by itself. */
  readonly hasAskedForReports: boolean
}

/** A question that every terminal answers, in order with everything before it; and how long one may take, in ms. */
const question = "\x1b[5n"
const answer = "\x1b[0n"
const slowestAnswer = 1_000

export interface RelayEnd {
  /** Undefined: the keeper went away before the process ended. */
  exitCode: number | undefined
  settled: Settled | undefined
}

/**
 * Copy between the operator's terminal and a session until it ends. The terminal is in raw mode meanwhile and is
 * put back whatever happens.
 */
export async function relaySession(socket: Socket, ends: RelayEnds): Promise<RelayEnd> {
  const { input, raw, output, errors, filter, errorsFilter } = ends
  const reader = new FrameReader()
  let exitCode: number | undefined
  let settled: Settled | undefined

  const show = (sink: ByteSink, bytes: Uint8Array) => {
    const slow = bytes.length > 0 ? sink.write(bytes) : undefined
    if (slow === undefined) return
    socket.pause()
    slow.then(
      () => socket.resume(),
      () => socket.destroy(),
    )
  }
  const onFrame = (frame: Frame) => {
    if (frame.kind === FrameKind.data) show(output, filter?.push(frame.payload) ?? Buffer.from(frame.payload))
    else if (frame.kind === FrameKind.stderr)
      show(errors, errorsFilter?.push(frame.payload) ?? Buffer.from(frame.payload))
    else if (frame.kind === FrameKind.exit) exitCode = parse<{ code: number }>(frame.payload).code
    else if (frame.kind === FrameKind.note) settled = parse<Settled>(frame.payload)
  }
  const onInput = (chunk: Buffer) => {
    for (const frame of encodeChunks(FrameKind.data, chunk)) {
      if (!socket.write(frame)) {
        input?.pause()
        socket.once("drain", () => input?.resume())
      }
    }
  }
  // Nobody types the end of a raw terminal (Ctrl-D is a byte there): it is gone, and its client with it.
  const goneWithTerminal = raw && input?.setRawMode !== undefined
  const onInputEnd = () => (goneWithTerminal ? socket.destroy() : socket.write(encodeFrame(FrameKind.eof, "")))
  const stopResize = ends.onResize?.((size) => socket.write(encodeFrame(FrameKind.resize, JSON.stringify(size))))
  if (raw) input?.setRawMode?.(true)
  input?.on("data", onInput)
  input?.on("end", onInputEnd)
  input?.resume()
  try {
    await new Promise<void>((resolve) => {
      // The keeper may have gone while the terminal was made ready, when nobody listened yet.
      if (socket.destroyed) return resolve()
      socket.on("data", (chunk: Buffer) => {
        try {
          for (const frame of reader.push(chunk)) onFrame(frame)
        } catch {
          socket.destroy()
        }
      })
      socket.on("error", () => socket.destroy())
      socket.on("end", () => socket.end())
      socket.on("close", () => resolve())
      socket.resume()
    })
  } finally {
    stopResize?.()
    input?.off("data", onInput)
    input?.off("end", onInputEnd)
    if (filter !== undefined) await put(output, filter.end())
    if (errorsFilter !== undefined && errorsFilter !== filter) await put(errors, errorsFilter.end())
    if (raw && input !== undefined && filter?.hasAskedForReports === true) await discardLate(input, output)
    if (raw) input?.setRawMode?.(false)
    input?.pause()
  }
  return { exitCode, settled }
}

async function put(sink: ByteSink, bytes: Uint8Array): Promise<void> {
  // A reader that is gone needs nothing undone.
  if (bytes.length > 0) await Promise.resolve(sink.write(bytes)).catch(() => undefined)
}

/**
 * Read away what the terminal typed by itself (mouse, focus) until it has heard that it should stop: the operator's
 * shell must not get that as typed. The agent cannot ask this question, so nobody else's answer is taken for it.
 */
async function discardLate(input: NodeJS.ReadableStream, output: ByteSink): Promise<void> {
  let heard = ""
  let onData = (_: Buffer): void => undefined
  const answered = new Promise<void>((resolve) => {
    onData = (chunk) => {
      heard = (heard + chunk.toString("latin1")).slice(-64)
      if (heard.includes(answer)) resolve()
    }
  })
  input.on("data", onData)
  input.resume()
  await put(output, Buffer.from(question))
  await Promise.race([answered, Bun.sleep(slowestAnswer)])
  input.off("data", onData)
}

function parse<T>(payload: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(payload)) as T
}
