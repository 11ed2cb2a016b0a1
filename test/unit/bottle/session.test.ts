import { describe, expect, test } from "bun:test"
import { Duplex } from "node:stream"
import { runSession, type SessionWant } from "../../../src/bottle/keeper/session/session.ts"
import { encodeFrame, type Frame, FrameKind, FrameReader } from "../../../src/lib/frames.ts"

const want: SessionWant = { argv: ["a"], env: {}, cwd: "/", pty: null, stdin: true }

/** Two connected streams; what is written to one is read from the other. */
function pair(): [Duplex, Duplex] {
  const make = (other: () => Duplex) =>
    new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        other().push(chunk)
        done()
      },
      final(done) {
        other().push(null)
        done()
      },
      destroy(error, done) {
        if (!other().destroyed) setImmediate(() => other().destroy())
        done(error)
      },
    })
  const left: Duplex = make(() => right)
  const right: Duplex = make(() => left)
  return [left, right]
}

/** A guest that answers `start` and then does what the script says with the stream. */
function guest(...scripts: ((stream: Duplex, request: { argv: string[] }) => void)[]) {
  const started: string[][] = []
  const connect = async () => {
    const [host, inner] = pair()
    const script = scripts[started.length]
    inner.once("data", (chunk: Buffer) => {
      const request = JSON.parse(chunk.toString()) as { argv: string[] }
      started.push(request.argv)
      inner.write(`${JSON.stringify({ ok: true, pid: 7 })}\n`)
      script?.(inner, request)
    })
    return host
  }
  return { connect, started }
}

function framesOf(stream: Duplex): Frame[] {
  const reader = new FrameReader()
  const frames: Frame[] = []
  stream.on("data", (chunk: Buffer) => {
    for (const { kind, payload } of reader.push(chunk)) frames.push({ kind, payload: Buffer.from(payload) })
  })
  return frames
}

const exit = (code: number) => encodeFrame(FrameKind.exit, JSON.stringify({ code, signal: null }))
const text = (frame: Frame | undefined) => Buffer.from(frame?.payload ?? []).toString()

describe("a session", () => {
  test("carries output to the client and ends with the exit code", async () => {
    const [client, terminal] = pair()
    const frames = framesOf(terminal)
    const { connect } = guest((stream) => {
      stream.write(encodeFrame(FrameKind.data, "hello"))
      stream.write(exit(3))
    })
    expect(await runSession(client, connect, want)).toMatchObject({ code: 3, byItself: true })
    expect(frames.map((frame) => frame.kind)).toEqual([FrameKind.data, FrameKind.exit])
    expect(text(frames[0])).toBe("hello")
  })

  test("ends not by itself when the client goes away", async () => {
    const [client, terminal] = pair()
    const { connect } = guest(() => setImmediate(() => terminal.destroy()))
    expect(await runSession(client, connect, want)).toMatchObject({ byItself: false })
  })

  test("ends when the client went away before the program had begun", async () => {
    const [client, terminal] = pair()
    let isOver = false
    const { connect } = guest((stream) => stream.on("close", () => (isOver = true)))
    const slow = async () => {
      const stream = await connect()
      terminal.destroy()
      await new Promise((resolve) => client.once("close", resolve))
      return stream
    }
    expect(await runSession(client, slow, want)).toMatchObject({ byItself: false, byClient: true })
    await Bun.sleep(1)
    expect(isOver).toBe(true)
  })

  test("ends not by itself when the guest goes away without an exit", async () => {
    const [client, terminal] = pair()
    framesOf(terminal)
    const { connect } = guest((stream) => setImmediate(() => stream.destroy()))
    expect(await runSession(client, connect, want)).toMatchObject({ byItself: false })
  })

  test("survives a guest that lies about its exit or sends nonsense", async () => {
    const lies = [
      encodeFrame(FrameKind.exit, '{"code":"x","signal":"SIG\\u001b[2J"}'),
      Buffer.from([250, 0, 0, 0, 1, 65]),
    ]
    for (const lie of lies) {
      const [client, terminal] = pair()
      const frames = framesOf(terminal)
      const { connect } = guest((stream) => void stream.write(lie))
      await runSession(client, connect, want)
      expect(text(frames.at(-1))).not.toContain("\u001b")
    }
  })

  test("runs the fresh command when the resumed one ends at once with an error", async () => {
    const [client, terminal] = pair()
    const frames = framesOf(terminal)
    const fake = guest(
      (stream) => void stream.write(exit(1)),
      (stream) => void stream.write(exit(0)),
    )
    const end = await runSession(client, fake.connect, { ...want, argv: ["resume"], fallback: ["fresh"] })
    expect(fake.started).toEqual([["resume"], ["fresh"]])
    expect(end.code).toBe(0)
    expect(frames.filter((frame) => frame.kind === FrameKind.exit)).toHaveLength(1)
  })

  test("does not run the fresh command after a resumed one that went well", async () => {
    const [client, terminal] = pair()
    const frames = framesOf(terminal)
    const fake = guest((stream) => void stream.write(exit(0)))
    await runSession(client, fake.connect, { ...want, argv: ["resume"], fallback: ["fresh"] })
    expect(fake.started).toEqual([["resume"]])
    expect(frames.map((frame) => frame.kind)).toEqual([FrameKind.exit])
  })
})
