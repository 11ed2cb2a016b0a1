import { afterEach, describe, expect, test } from "bun:test"
import { connect, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { relaySession } from "../../../src/bottle/relay.ts"
import { FrameKind, FrameReader } from "../../../src/lib/frames.ts"
import { tempDir } from "../../support/temp.ts"

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

/** What a keeper hears of a relay whose input ends: the kinds of frames, until the connection is over. */
async function heardAtEnd(input: PassThrough, raw: boolean): Promise<number[]> {
  const path = join(tempDir("relay"), "s")
  const heard: number[] = []
  const over = Promise.withResolvers<void>()
  const server = createServer((peer: Socket) => {
    const reader = new FrameReader()
    peer.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) heard.push(frame.kind)
      if (heard.includes(FrameKind.eof)) peer.end()
    })
    peer.on("close", () => over.resolve())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  cleanups.push(() => server.close())
  const socket = connect(path)
  const sink = { write: () => undefined }
  const done = relaySession(socket, { input, raw, output: sink, errors: sink })
  input.end()
  await Promise.all([done, over.promise])
  return heard
}

test("a keeper that went away before anybody looked ends the session", async () => {
  const path = join(tempDir("relay"), "s")
  const server = createServer((peer: Socket) => void peer.end())
  await new Promise<void>((resolve) => server.listen(path, resolve))
  cleanups.push(() => server.close())
  const socket = connect(path)
  await new Promise((resolve) => socket.once("close", resolve))
  const sink = { write: () => undefined }
  const done = relaySession(socket, { input: undefined, raw: false, output: sink, errors: sink })
  expect(await done).toEqual({ exitCode: undefined, settled: undefined })
})

describe("an input that ends", () => {
  test("is passed on as the end of what is typed where it is a pipe", async () => {
    expect(await heardAtEnd(new PassThrough(), false)).toEqual([FrameKind.eof])
    expect(await heardAtEnd(new PassThrough(), true)).toEqual([FrameKind.eof])
  })

  test("is a terminal that went away where it is one: the agent reads no Ctrl-D, the connection is over", async () => {
    const terminal = Object.assign(new PassThrough(), { setRawMode: () => undefined })
    expect(await heardAtEnd(terminal, true)).toEqual([])
  })
})
