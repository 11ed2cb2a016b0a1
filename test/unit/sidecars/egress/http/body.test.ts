import { describe, expect, test } from "bun:test"
import { PassThrough } from "node:stream"
import { type Body, frameRequest, frameResponse, readBody } from "../../../../../sidecars/egress/http/body.ts"
import { endToEnd, safeTrailers } from "../../../../../sidecars/egress/http/fields.ts"
import { BadMessage, type Headers } from "../../../../../sidecars/egress/http/head.ts"
import { ByteSource } from "../../../../../sidecars/egress/http/source.ts"
import { Random } from "../../../../support/tls/random.ts"

const request = (headers: Headers, minor: 0 | 1 = 1) => ({ method: "POST", target: "/", minor, headers })
const response = (status: number, headers: Headers) => ({ minor: 1 as const, status, reason: "", headers })

describe("the framing of an answer", () => {
  const chunked: Headers = [["Transfer-Encoding", "Chunked"]]
  const five: Headers = [["content-length", "5"]]
  test.each([
    ["chunks", 200, chunked, "GET", "chunked"],
    ["a length", 200, five, "GET", "length"],
    ["neither", 200, [], "GET", "close"],
    ["a length of zero", 200, [["Content-Length", "0"]] as Headers, "GET", "none"],
    ["204", 204, five, "GET", "none"],
    ["304", 304, chunked, "GET", "none"],
    ["HEAD", 200, five, "HEAD", "none"],
  ])("with %s", (_, status, headers, method, kind) => {
    expect(frameResponse(response(status, headers), method).kind).toBe(kind as never)
  })

  test.each([
    ["both", [...chunked, ...five]],
    ["two lengths", [...five, ...five]],
    ["gzip, chunked", [["Transfer-Encoding", "gzip, chunked"]] as Headers],
    ["no number", [["Content-Length", "5x"]] as Headers],
  ])("with %s is refused", (_, headers) => {
    expect(() => frameResponse(response(200, headers), "GET")).toThrow(BadMessage)
  })
})

test("a request without framing has no body", () => {
  expect(frameRequest(request([]))).toEqual({ kind: "none" })
})

async function readAll(body: Body): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let chunk = await body.next(); chunk !== null; chunk = await body.next()) parts.push(chunk)
  return Buffer.concat(parts)
}

function sourceOf(slices: Buffer[], end = false): ByteSource {
  const stream = new PassThrough()
  const source = new ByteSource(stream)
  for (const slice of slices) stream.write(slice)
  if (end) stream.end()
  return source
}

describe("a body in chunks", () => {
  test("comes out as it went in, however it was chunked and cut, and what follows is left", async () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed)
      const data = random.bytes(random.below(500))
      const wire: Buffer[] = []
      for (const slice of random.slices(data)) {
        const size = slice.length.toString(16)
        const extension = random.pick(["", ";a=b", ";", ';a="\\";"'])
        wire.push(Buffer.from(`${random.pick(["", "000"])}${size}${extension}\r\n`), slice, Buffer.from("\r\n"))
      }
      wire.push(Buffer.from("0\r\nA: b\r\n\r\nnext"))
      const source = sourceOf(random.slices(Buffer.concat(wire)))
      const body = readBody(source, { kind: "chunked" })
      expect((await readAll(body)).equals(data)).toBe(true)
      expect(body.trailers).toEqual([["A", "b"]])
      await new Promise((resolve) => setImmediate(resolve))
      expect(source.detach().toString()).toBe("next")
    }
  })

  test.each([
    "g\r\n",
    "\r\n",
    "-1\r\n",
    "1 \r\nx\r\n",
    "1\nx\r\n",
    "2\r\nx\r\n0\r\n\r\n",
    "1\r\nxx\r\n",
    "0\r\n A: b\r\n\r\n",
    "0x1\r\n",
    "fffffffffffff\r\n",
    "1;\0\r\n",
    "1\r\rx",
  ])("%p is refused", async (text) => {
    const body = readBody(sourceOf([Buffer.from(text, "latin1")], true), { kind: "chunked" })
    await expect(readAll(body)).rejects.toThrow()
  })

  test("never ends without its last chunk", async () => {
    const whole = "5\r\nhello\r\n0\r\nA: b\r\n\r\n"
    for (let cut = 0; cut < whole.length; cut++) {
      const body = readBody(sourceOf([Buffer.from(whole.slice(0, cut))], true), { kind: "chunked" })
      await expect(readAll(body)).rejects.toThrow()
      expect(body.complete).toBe(false)
    }
  })
})

describe("a body with a length", () => {
  test("ends where it says and leaves the rest", async () => {
    const source = sourceOf([Buffer.from("hel"), Buffer.from("lonext")])
    expect((await readAll(readBody(source, { kind: "length", length: 5 }))).toString()).toBe("hello")
    expect(source.detach().toString()).toBe("next")
  })

  test("that ends early is broken", async () => {
    await expect(
      readAll(readBody(sourceOf([Buffer.from("he")], true), { kind: "length", length: 5 })),
    ).rejects.toThrow()
  })
})

describe("fields", () => {
  test("of the hop stay behind, named or not", () => {
    const headers: Headers = [
      ["Connection", "X-A, close"],
      ["x-a", "1"],
      ["Keep-Alive", "5"],
      ["Proxy-Anything", "1"],
      ["TE", "trailers"],
      ["Upgrade", "h2c"],
      ["Kept", "1"],
    ]
    expect(endToEnd(headers)).toEqual([["Kept", "1"]])
  })

  test.each(["Host", "content-length", "Authorization", "Cookie"])("Connection may not name %s", (name) => {
    expect(() => endToEnd([["Connection", name]])).toThrow(BadMessage)
  })

  test("that belong in a head do not travel as trailers", () => {
    expect(
      safeTrailers([
        ["Host", "x"],
        ["Authorization", "x"],
        ["Transfer-Encoding", "x"],
        ["Grpc-Status", "0"],
      ]),
    ).toEqual([["Grpc-Status", "0"]])
  })
})
