import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Duplex } from "node:stream"
import { createAuthority } from "../../support/tls/authority.ts"
import { fieldOf, statusOf } from "../../support/tls/messages.ts"
import { eventually, openTunnel, policyOf, routeTo, startProxy, type TestProxy } from "../../support/tls/proxy.ts"
import { respond, startUpstream, type Upstream, type UpstreamRequest } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
let upstream: Upstream
let proxy: TestProxy

async function reply(request: UpstreamRequest, stream: Duplex): Promise<void> {
  switch (request.target) {
    case "/chunked":
      stream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
      stream.write("5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 42\r\n\r\n")
      return
    case "/eof":
      stream.end("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end")
      return
    case "/304":
      stream.write("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: x\r\n\r\n")
      return
    case "/204":
      stream.write("HTTP/1.1 204 No Content\r\n\r\n")
      return
    case "/early-hints":
      stream.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
      return respond(stream, "late")
    case "/truncated":
      stream.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
      return
    case "/truncated-chunks":
      stream.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
      return
    case "/false-101":
      stream.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n")
      return
    case "/body":
      return respond(stream, request.body, [`X-Trailers: ${request.trailers.join(",")}`])
    case "/close-once":
      respond(stream, "bye")
      if (request.earlier === 0) stream.end()
      return
  }
  if (request.method === "HEAD") stream.write("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
  else respond(stream, request.lines.join("\n"), ["X-MiXed: Case", "Set-Cookie: a=1", "Set-Cookie: b=2"])
}

beforeAll(async () => {
  upstream = await startUpstream({ authority, host: "api.test", reply })
  proxy = await startProxy(policyOf([routeTo(upstream, authority)]))
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const get = (target: string, fields = "") => `GET ${target} HTTP/1.1\r\nHost: api.test\r\n${fields}\r\n`

describe("a request through a tunnel", () => {
  test("reaches the upstream with its fields in order and case, without those of the hop", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(
      get(
        "/x?a=%20b",
        "X-b: 1\r\nAccept: */*\r\nx-B: 2\r\nProxy-Connection: keep-alive\r\nConnection: X-Hop\r\nX-Hop: 1\r\n",
      ),
    )
    const message = await reader.message()
    expect(statusOf(message)).toBe(200)
    expect(message.body.toString()).toBe("GET /x?a=%20b HTTP/1.1\nHost: api.test\nX-b: 1\nAccept: */*\nx-B: 2")
    expect(message.lines.slice(1, 4)).toEqual(["X-MiXed: Case", "Set-Cookie: a=1", "Set-Cookie: b=2"])
    socket.destroy()
  })

  test("shares an upstream connection with the next one, and pipelined ones are served one by one", async () => {
    const { socket, reader } = await openTunnel(proxy)
    const before = upstream.accepted
    socket.write(get("/1") + get("/2") + get("/3"))
    for (const target of ["/1", "/2", "/3"]) {
      expect((await reader.message()).body.toString()).toStartWith(`GET ${target} `)
    }
    expect(upstream.accepted - before).toBeLessThanOrEqual(1)
    socket.destroy()
  })

  test("sends a body with a length, and one in chunks with its trailers, without chunk extensions", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write("POST /body HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\n\r\nhello")
    expect((await reader.message()).body.toString()).toBe("hello")
    socket.write("POST /body HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n")
    socket.write("3;x=secret\r\nabc\r\n2\r\nde\r\n0\r\nX-Check: 1\r\nAuthorization: no\r\n\r\n")
    const message = await reader.message()
    expect(message.body.toString()).toBe("abcde")
    expect(fieldOf(message, "x-trailers")).toBe("X-Check: 1")
    expect(upstream.requests.at(-1)?.raw.toString()).not.toContain("secret")
    socket.destroy()
  })

  test("waits for the upstream's 100 before the body goes", async () => {
    const waiting = await startUpstream({
      ...{ authority, host: "api.test", reply: () => {} },
      async onHead(_, stream, reader) {
        stream.write("HTTP/1.1 100 Continue\r\n\r\n")
        const body = await reader.bytes(4)
        respond(stream, body)
        return true
      },
    })
    const other = await startProxy(policyOf([routeTo(waiting, authority)]))
    const { socket, reader } = await openTunnel(other)
    socket.write("PUT /x HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    expect((await reader.head()).lines[0]).toBe("HTTP/1.1 100 Continue")
    socket.write("data")
    expect((await reader.message()).body.toString()).toBe("data")
    socket.destroy()
    await other.close()
    await waiting.close()
  })
})

describe("an answer", () => {
  test("in chunks arrives with its trailers", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/chunked"))
    const message = await reader.message()
    expect(message.body.toString()).toBe("hello world")
    expect(message.trailers).toEqual(["X-Sum: 42"])
    expect(message.raw.toString()).not.toContain("ext=1")
    socket.destroy()
  })

  test("that runs to the end of its connection is delimited for the client, which goes on", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/eof") + get("/next"))
    expect((await reader.message()).body.toString()).toBe("until the end")
    expect((await reader.message()).body.toString()).toStartWith("GET /next")
    socket.destroy()
  })

  test.each(["/304", "/204"])("%s has no body and keeps the connection", async (target) => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get(target) + get("/next"))
    const message = await reader.message({ bodiless: true })
    expect(statusOf(message)).toBe(Number(target.slice(1)))
    if (target === "/304") expect(fieldOf(message, "content-length")).toBe("99")
    expect((await reader.message()).body.toString()).toStartWith("GET /next")
    socket.destroy()
  })

  test("to HEAD keeps its length and has no body", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(`HEAD /h HTTP/1.1\r\nHost: api.test\r\n\r\n${get("/next")}`)
    expect(fieldOf(await reader.message({ bodiless: true }), "content-length")).toBe("12345")
    expect((await reader.message()).body.toString()).toStartWith("GET /next")
    socket.destroy()
  })

  test("is preceded by its interim ones", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/early-hints"))
    expect((await reader.head()).lines).toEqual(["HTTP/1.1 103 Early Hints", "Link: </a>"])
    expect((await reader.message()).body.toString()).toBe("late")
    socket.destroy()
  })

  test.each(["/truncated", "/truncated-chunks"])("cut short by the upstream (%s) breaks off", async (target) => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get(target))
    await expect(reader.message()).rejects.toThrow()
    await eventually(() => socket.destroyed)
  })

  test("that switches protocols unasked is refused", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/false-101"))
    const message = await reader.message()
    expect(statusOf(message)).toBe(502)
    expect(JSON.parse(message.body.toString()).error.reason).toBe("upstream-malformed")
    socket.destroy()
  })

  test("on a kept connection that died is asked for again, once", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/close-once"))
    expect((await reader.message()).body.toString()).toBe("bye")
    socket.write(get("/again"))
    expect(statusOf(await reader.message())).toBe(200)
    socket.destroy()
  })

  test("comes event by event", async () => {
    let send: (text: string) => void = () => {}
    const events = await startUpstream({
      ...{ authority, host: "api.test" },
      reply: (_, stream) => {
        stream.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        send = (text) => stream.write(`${text.length.toString(16)}\r\n${text}\r\n`)
      },
    })
    const other = await startProxy(policyOf([routeTo(events, authority)]))
    const { socket, reader } = await openTunnel(other)
    socket.write(get("/events"))
    await reader.head()
    for (const text of ["data: 1\n\n", "data: 22\n\n"]) {
      send(text)
      expect((await reader.until("\n\n\r\n")).toString()).toContain(text)
    }
    socket.destroy()
    await eventually(() => events.open.size === 0)
    await other.close()
    await events.close()
  })
})
