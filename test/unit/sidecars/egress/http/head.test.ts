import { describe, expect, test } from "bun:test"
import { PassThrough } from "node:stream"
import {
  BadMessage,
  parseRequestHead,
  parseResponseHead,
  readHeadLines,
} from "../../../../../sidecars/egress/http/head.ts"
import { ByteSource } from "../../../../../sidecars/egress/http/source.ts"
import { Random } from "../../../../support/tls/random.ts"

async function readLines(slices: Buffer[], limit = 1000) {
  const stream = new PassThrough()
  const source = new ByteSource(stream)
  for (const slice of slices) stream.write(slice)
  stream.end()
  return { lines: await readHeadLines(source, limit), rest: source.detach() }
}

const one = (text: string) => [Buffer.from(text, "latin1")]

describe("readHeadLines", () => {
  test("stops at the empty line and leaves the rest", async () => {
    const { lines, rest } = await readLines(one("GET / HTTP/1.1\r\nA: b\r\n\r\nbody"))
    expect(lines).toEqual(["GET / HTTP/1.1", "A: b"])
    expect(rest.toString()).toBe("body")
  })

  test("reads the same lines however the bytes are cut", async () => {
    const bytes = Buffer.from(`GET / HTTP/1.1\r\nA: b\r\nLong: ${"x".repeat(300)}\r\n\r\nrest`)
    for (let seed = 0; seed < 200; seed++) {
      const { lines } = await readLines(new Random(seed).slices(bytes))
      expect(lines).toHaveLength(3)
    }
  })

  test("nothing before the end is no head", async () => {
    expect((await readLines([])).lines).toBeNull()
  })

  test.each([
    ["an early end", "GET / HTTP/1.1\r\nA"],
    ["a bare LF", "GET / HTTP/1.1\nA: b\r\n\r\n"],
    ["LF LF", "GET / HTTP/1.1\r\nA: b\n\n"],
    ["an empty line first", "\r\nGET / HTTP/1.1\r\n\r\n"],
    ["a line without an end", "x".repeat(1001)],
    ["many lines", "A: b\r\n".repeat(300)],
  ])("%s is refused", async (_, text) => {
    await expect(readLines(one(text))).rejects.toBeInstanceOf(BadMessage)
  })

  test("a bare LF is refused before the head is complete", async () => {
    const stream = new PassThrough()
    stream.write("GET / HTTP/1.1\n")
    await expect(readHeadLines(new ByteSource(stream), 1000)).rejects.toBeInstanceOf(BadMessage)
  })
})

describe("parseRequestHead", () => {
  test("keeps order, case and repetition, and trims blanks around values only", () => {
    const head = parseRequestHead(["GET /a?b HTTP/1.1", "B:  x y\t ", "a:", "B: \xe9"])
    expect(head).toEqual({
      ...{ method: "GET", target: "/a?b", minor: 1 },
      headers: [
        ["B", "x y"],
        ["a", ""],
        ["B", "\xe9"],
      ],
    })
  })

  test("nothing that it takes holds a byte that could end a line, and writing it again gives the same", () => {
    const alphabet = [
      "G",
      "E",
      "T",
      " ",
      "/",
      ":",
      "\r",
      "\n",
      "\t",
      "\0",
      "\x7f",
      "\x80",
      "\xff",
      "HTTP/1.1",
      "Host",
      ",",
      "\x0b",
    ]
    let taken = 0
    for (let seed = 0; seed < 20_000; seed++) {
      const random = new Random(seed)
      const word = (length: number) => Array.from({ length }, () => random.pick(alphabet)).join("")
      const lines =
        random.below(2) === 0
          ? [word(8), word(6)]
          : [`GET /${word(1).trim()} HTTP/1.1`, `${random.pick(["Host", "X", word(2)])}:${word(3)}`]
      try {
        const head = parseRequestHead(lines)
        taken++
        const text = head.headers.map(([name, value]) => `${name}: ${value}`)
        expect(`${head.target}${text.join("")}`).not.toMatch(/[\r\n\0\x0b\x7f]/)
        expect(parseRequestHead([`${head.method} ${head.target} HTTP/1.${head.minor}`, ...text])).toEqual(head)
      } catch (error) {
        if (!(error instanceof BadMessage)) throw error
      }
    }
    expect(taken).toBeGreaterThan(100)
  })
})

describe("parseResponseHead", () => {
  test.each([
    ["HTTP/1.1 200 OK", 200, "OK"],
    ["HTTP/1.0 404", 404, ""],
    ["HTTP/1.1 200 ", 200, ""],
  ])("reads %p", (line, status, reason) => {
    expect(parseResponseHead([line])).toMatchObject({ status, reason })
  })

  test.each(["HTTP/2 200", "HTTP/1.1 20", "HTTP/1.1 099 x", "ICY 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 200 a\rb"])(
    "refuses %p",
    (line) => {
      expect(() => parseResponseHead([line])).toThrow(BadMessage)
    },
  )
})
