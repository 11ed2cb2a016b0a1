import { describe, expect, test } from "bun:test"
import { PassThrough } from "node:stream"
import { LineReader, readFirstLine } from "../../../src/lib/lines.ts"

describe("the first line of a stream", () => {
  test("is read, and what comes after it is put back", async () => {
    const stream = new PassThrough()
    stream.write("fir")
    stream.write("st\nsecond")
    expect(await readFirstLine(stream)).toBe("first")
    expect(String(stream.read())).toBe("second")
  })

  test("that is too long, or never comes, rejects", async () => {
    const long = new PassThrough()
    long.write("x".repeat(11))
    await expect(readFirstLine(long, 10)).rejects.toBeInstanceOf(RangeError)
    const short = new PassThrough()
    short.end("no line")
    await expect(readFirstLine(short)).rejects.toThrow("ended before its first line")
  })

  test("of a stream that was gone before rejects at once", async () => {
    const destroyed = new PassThrough()
    destroyed.destroy()
    await new Promise((resolve) => destroyed.once("close", resolve))
    await expect(readFirstLine(destroyed)).rejects.toThrow("ended before its first line")
    const ended = new PassThrough()
    ended.resume().end()
    await new Promise((resolve) => ended.once("end", resolve))
    await expect(readFirstLine(ended)).rejects.toThrow("ended before its first line")
  })
})

describe("lines of a byte stream", () => {
  test("are found across chunks, up to their limit", () => {
    const reader = new LineReader(8)
    expect(reader.push(Buffer.from("on"))).toEqual([])
    expect(reader.push(Buffer.from("e\ntwo\nthr"))).toEqual(["one", "two"])
    expect(() => reader.push(Buffer.from("x".repeat(6)))).toThrow(RangeError)
  })
})
