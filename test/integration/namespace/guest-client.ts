import type { Duplex } from "node:stream"
import type { GuestAnswer, GuestRequest } from "../../../sidecars/guest/protocol.ts"
import type { RunningBottle } from "../../../src/backends/backend.ts"
import { encodeFrame, FrameKind, FrameReader } from "../../../src/lib/frames.ts"
import { readFirstLine, writeLine } from "../../../src/lib/lines.ts"

type Start = Extract<GuestRequest, { op: "start" }>

/** One request on a connection of its own. */
export async function ask(bottle: RunningBottle, request: GuestRequest): Promise<GuestAnswer> {
  const stream = await bottle.connectGuest()
  const answer = await askOn(stream, request)
  stream.destroy()
  return answer
}

/** One request, one answer. */
export async function askOn(stream: Duplex, request: GuestRequest): Promise<GuestAnswer> {
  writeLine(stream, request)
  return JSON.parse(await readFirstLine(stream)) as GuestAnswer
}

export interface Ended {
  code: number
  signal: string | null
}

/** A session as a test drives it. */
export interface TestSession {
  pid: number
  stream: Duplex
  /** All output so far. */
  output(): string
  errors(): string
  send(bytes: string): void
  frame(kind: (typeof FrameKind)[keyof typeof FrameKind], payload: unknown): void
  ended: Promise<Ended>
}

export async function startSession(
  bottle: RunningBottle,
  argv: string[],
  more: Partial<Start> = {},
  opened?: Duplex,
): Promise<TestSession> {
  const stream = opened ?? (await bottle.connectGuest())
  const env = { PATH: "/usr/bin:/bin", HOME: "/home/node" }
  const answer = await askOn(stream, { op: "start", argv, env, cwd: "/", pty: null, stdin: false, ...more })
  if (!answer.ok) throw new Error(answer.error)
  const frames = new FrameReader()
  let output = ""
  let errors = ""
  const ended = new Promise<Ended>((resolve, reject) => {
    let last: Ended | undefined
    stream.on("data", (bytes: Buffer) => {
      for (const frame of frames.push(bytes)) {
        const text = Buffer.from(frame.payload).toString()
        if (last !== undefined) reject(new Error("a frame after the exit frame"))
        else if (frame.kind === FrameKind.data) output += text
        else if (frame.kind === FrameKind.stderr) errors += text
        else if (frame.kind === FrameKind.exit) last = JSON.parse(text) as Ended
      }
    })
    stream.on("close", () => (last === undefined ? reject(new Error("no exit frame")) : resolve(last)))
    stream.on("end", () => stream.destroy())
  })
  ended.catch(() => {})
  stream.resume()
  return {
    pid: answer.pid ?? 0,
    stream,
    output: () => output,
    errors: () => errors,
    send: (bytes) => void stream.write(encodeFrame(FrameKind.data, bytes)),
    frame: (kind, payload) =>
      void stream.write(encodeFrame(kind, typeof payload === "string" ? payload : JSON.stringify(payload))),
    ended,
  }
}

/** Run a shell line to its end. */
export async function runShell(bottle: RunningBottle, line: string, more: Partial<Start> = {}) {
  const session = await startSession(bottle, ["/bin/sh", "-c", line], more)
  const end = await session.ended
  return { ...end, output: session.output(), errors: session.errors() }
}
