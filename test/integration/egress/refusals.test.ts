// Longer than 300 lines because it is a table: one entry after the other, with nothing to split it by.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createAuthority } from "../../support/tls/authority.ts"
import { fieldOf, statusOf } from "../../support/tls/messages.ts"
import {
  dialProxy,
  eventually,
  openTunnel,
  policyOf,
  routeTo,
  startProxy,
  type TestProxy,
} from "../../support/tls/proxy.ts"
import { echoHead, startUpstream, type Upstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
let upstream: Upstream
let plain: Upstream
let proxy: TestProxy

beforeAll(async () => {
  upstream = await startUpstream({ authority, host: "api.test", reply: echoHead })
  plain = await startUpstream({ reply: echoHead })
  proxy = await startProxy(
    policyOf([
      routeTo(upstream, authority, { matches: [{ paths: [{ type: "prefix", value: "/ok" }] }] }),
      routeTo(plain, authority, { host: "plain.test", scheme: "http", port: 80 }),
    ]),
  )
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
  await plain.close()
})

const inTunnel = "Host: api.test\r\n"

describe("inside a tunnel", () => {
  const refused: [name: string, bytes: string, status: number][] = [
    [
      "both Transfer-Encoding and Content-Length",
      `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["two Content-Lengths", `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`, 400],
    [
      "two equal Content-Lengths",
      `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
      400,
    ],
    ["a list as Content-Length", `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: 4, 4\r\n\r\nabcd`, 400],
    ["a signed Content-Length", `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: +4\r\n\r\nabcd`, 400],
    ["a hexadecimal Content-Length", `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: 0x4\r\n\r\nabcd`, 400],
    ["an empty Content-Length", `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: \r\n\r\n`, 400],
    [
      "two Transfer-Encodings",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      "an unknown Transfer-Encoding",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["gzip, chunked", `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 400],
    [
      "Transfer-Encoding with a byte before chunked",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      "Transfer-Encoding in HTTP/1.0",
      `POST /ok HTTP/1.0\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["two Hosts", `GET /ok HTTP/1.1\r\n${inTunnel}Host: other.test\r\n\r\n`, 400],
    ["no Host", "GET /ok HTTP/1.1\r\n\r\n", 400],
    ["another Host", "GET /ok HTTP/1.1\r\nHost: other.test\r\n\r\n", 403],
    ["another port in Host", "GET /ok HTTP/1.1\r\nHost: api.test:8443\r\n\r\n", 403],
    ["a bare LF after the request line", `GET /ok HTTP/1.1\n${inTunnel}\r\n`, 400],
    ["a bare LF in the fields", `GET /ok HTTP/1.1\r\nHost: api.test\nX: 1\r\n\r\n`, 400],
    ["a bare CR in a value", `GET /ok HTTP/1.1\r\n${inTunnel}X: a\rb\r\n\r\n`, 400],
    ["a folded field", `GET /ok HTTP/1.1\r\n${inTunnel}X: a\r\n b\r\n\r\n`, 400],
    ["a space before the colon", `GET /ok HTTP/1.1\r\n${inTunnel}Content-Length : 4\r\n\r\nabcd`, 400],
    ["a space before a field's name", `GET /ok HTTP/1.1\r\n X: a\r\n${inTunnel}\r\n`, 400],
    ["an empty field name", `GET /ok HTTP/1.1\r\n${inTunnel}: x\r\n\r\n`, 400],
    ["a NUL in a value", `GET /ok HTTP/1.1\r\n${inTunnel}X: a\0b\r\n\r\n`, 400],
    ["a control character in a name", `GET /ok HTTP/1.1\r\n${inTunnel}X\x01: a\r\n\r\n`, 400],
    ["a NUL in the target", `GET /ok\0 HTTP/1.1\r\n${inTunnel}\r\n`, 400],
    ["two spaces in the request line", `GET  /ok HTTP/1.1\r\n${inTunnel}\r\n`, 400],
    ["a tab in the request line", `GET\t/ok HTTP/1.1\r\n${inTunnel}\r\n`, 400],
    ["HTTP/0.9", "GET /ok\r\n\r\n", 400],
    ["the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
    ["HTTP/1.2", `GET /ok HTTP/1.2\r\n${inTunnel}\r\n`, 505],
    ["an empty line first", `\r\nGET /ok HTTP/1.1\r\n${inTunnel}\r\n`, 400],
    ["Connection that names Host", `GET /ok HTTP/1.1\r\n${inTunnel}Connection: host\r\n\r\n`, 400],
    [
      "Connection that names Content-Length",
      `POST /ok HTTP/1.1\r\n${inTunnel}Content-Length: 0\r\nConnection: content-length\r\n\r\n`,
      400,
    ],
    ["a head of 200 KB", `GET /ok HTTP/1.1\r\n${inTunnel}X: ${"a".repeat(200_000)}\r\n\r\n`, 431],
    ["a thousand fields", `GET /ok HTTP/1.1\r\n${inTunnel}${"X: a\r\n".repeat(1000)}\r\n`, 431],
    ["an absolute URL", `GET https://api.test/ok HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    ["an asterisk", `OPTIONS * HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    ["CONNECT", `CONNECT api.test:443 HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    ["TRACE", `TRACE /ok HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    ["a method in lower case", `get /ok HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    [
      "h2c",
      `GET /ok HTTP/1.1\r\n${inTunnel}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
      403,
    ],
    ["a dot segment", `GET /ok/../secret HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    ["an escaped dot segment", `GET /ok/%2e%2e/secret HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    ["a path that only starts alike", `GET /okay HTTP/1.1\r\n${inTunnel}\r\n`, 403],
    ["an unknown Expect", `GET /ok HTTP/1.1\r\n${inTunnel}Expect: miracles\r\n\r\n`, 417],
    [
      "a malformed chunk size",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
      400,
    ],
    [
      "an underscore in a chunk size",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n0_5\r\nhello\r\n0\r\n\r\n`,
      400,
    ],
    [
      "a space after a chunk size",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n`,
      400,
    ],
    [
      "a negative chunk size",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`,
      400,
    ],
    [
      "a chunk longer than its size",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`,
      400,
    ],
    [
      "a bare LF after a chunk size",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`,
      400,
    ],
    [
      "an endless chunk extension",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n5;${"x".repeat(5000)}\r\nhello\r\n0\r\n\r\n`,
      400,
    ],
    [
      "a malformed trailer",
      `POST /ok HTTP/1.1\r\n${inTunnel}Transfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n`,
      400,
    ],
  ]

  test.each(refused)("%s is refused, and nothing after it is read as a request", async (_, bytes, status) => {
    const { socket, reader } = await openTunnel(proxy)
    const before = upstream.requests.length
    socket.write(Buffer.from(bytes, "latin1"))
    const message = await reader.message()
    expect(statusOf(message)).toBe(status)
    const { error } = JSON.parse(message.body.toString())
    expect(Object.keys(error)).toEqual(["gate", "reason", "message", "remedy"])
    socket.destroy()
    expect(upstream.requests.length).toBe(before)
  })

  test("a request smuggled behind a refused body is not carried", async () => {
    const { socket, reader } = await openTunnel(proxy)
    const before = upstream.requests.length
    const inner = "GET /ok/smuggled HTTP/1.1\r\nHost: api.test\r\n\r\n"
    socket.write(
      `POST /no HTTP/1.1\r\n${inTunnel}Content-Length: ${inner.length}\r\n\r\n${inner}GET /ok/next HTTP/1.1\r\n${inTunnel}\r\n`,
    )
    expect(statusOf(await reader.message())).toBe(403)
    expect((await reader.message()).body.toString()).toStartWith("GET /ok/next")
    expect(upstream.requests.length).toBe(before + 1)
    socket.destroy()
  })

  test("a refusal is text for who prefers text", async () => {
    const { socket, reader } = await openTunnel(proxy)
    socket.write(`GET /no HTTP/1.1\r\n${inTunnel}Accept: text/plain, application/json;q=0.5\r\n\r\n`)
    const message = await reader.message()
    expect(fieldOf(message, "content-type")).toStartWith("text/plain")
    expect(message.body.toString()).toStartWith("refused by egress: no-match\n")
    socket.destroy()
  })

  test("plain HTTP is dropped", async () => {
    const { socket, reader } = await dialProxy(proxy)
    socket.write("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n")
    await reader.head()
    const before = upstream.accepted
    socket.write(`GET /ok HTTP/1.1\r\n${inTunnel}\r\n`)
    expect((await reader.rest()).toString("latin1")).not.toContain("HTTP/1.1")
    expect(upstream.accepted).toBe(before)
  })

  test("another name in the handshake drops the connection and is told", async () => {
    await expect(
      openTunnel(proxy, { servername: "other.test" }).then(async ({ socket, reader }) => {
        socket.write(`GET /ok HTTP/1.1\r\n${inTunnel}\r\n`)
        return reader.message()
      }),
    ).rejects.toThrow()
    expect(proxy.events.some(({ kind, reason }) => kind === "refused" && reason === "sni-mismatch")).toBe(true)
  })

  test("silence is ended, before the handshake, in the middle of a head and between requests", async () => {
    const policy = policyOf([routeTo(upstream, authority)])
    const hasty = await startProxy(policy, { limits: { handshakeTime: 150 } })
    const silent = await dialProxy(hasty)
    silent.socket.write("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n")
    // Long enough for a tunnel to be opened on a busy machine.
    const brief = await startProxy(policy, { limits: { headTime: 1000, idleTime: 1000 } })
    const slow = await openTunnel(brief)
    slow.socket.write("GET /ok HT")
    const idle = await openTunnel(brief)
    for (const { socket } of [silent, slow, idle]) await eventually(() => socket.destroyed)
    for (const each of [hasty, brief]) await each.close()
  })
})

describe("outside a tunnel", () => {
  const refused: [name: string, bytes: string, status: number, reason: string][] = [
    [
      "CONNECT to an unlisted host on another port",
      "CONNECT evil.test:22 HTTP/1.1\r\nHost: evil.test:22\r\n\r\n",
      403,
      "unlisted-host",
    ],
    ["CONNECT to another port", "CONNECT api.test:22 HTTP/1.1\r\nHost: api.test:22\r\n\r\n", 403, "wrong-port"],
    ["CONNECT with another Host", "CONNECT api.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n", 403, "host-mismatch"],
    ["CONNECT without a port", "CONNECT api.test HTTP/1.1\r\nHost: api.test\r\n\r\n", 400, "bad-request"],
    [
      "CONNECT with a NUL in the host",
      "CONNECT evil.test\0.api.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n",
      400,
      "bad-request",
    ],
    [
      "CONNECT with a body",
      "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nContent-Length: 3\r\n\r\nabc",
      400,
      "bad-request",
    ],
    ["CONNECT to an address", "CONNECT 0x7f.1:80 HTTP/1.1\r\nHost: 0x7f.1:80\r\n\r\n", 403, "unlisted-host"],
    ["plain http to an https host", "GET http://api.test/ok HTTP/1.1\r\nHost: api.test\r\n\r\n", 403, "wrong-scheme"],
    [
      "plain http to an unlisted host",
      "GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n",
      403,
      "unlisted-host",
    ],
    [
      "a URL and a Host that differ",
      "GET http://plain.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n",
      403,
      "host-mismatch",
    ],
    ["a URL with a user", "GET http://evil.test@plain.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n", 400, "bad-host"],
    ["https without CONNECT", "GET https://api.test/ok HTTP/1.1\r\nHost: api.test\r\n\r\n", 400, "bad-request"],
    ["another scheme", "GET ftp://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n", 400, "bad-request"],
    ["an origin-form request", "GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n", 400, "bad-request"],
  ]

  test.each(refused)("%s is refused", async (_, bytes, status, reason) => {
    const { socket, reader } = await dialProxy(proxy)
    socket.write(Buffer.from(bytes, "latin1"))
    const message = await reader.message()
    expect([statusOf(message), JSON.parse(message.body.toString()).error.reason]).toEqual([status, reason])
    socket.destroy()
  })

  test("plain http to an http host is carried, with the path alone", async () => {
    const { socket, reader } = await dialProxy(proxy)
    socket.write("GET http://plain.test?q=1 HTTP/1.1\r\nHost: plain.test\r\nProxy-Authorization: Basic eDp5\r\n\r\n")
    expect((await reader.message()).body.toString()).toBe("GET /?q=1 HTTP/1.1\nHost: plain.test")
    socket.write("CONNECT plain.test:80 HTTP/1.1\r\nHost: plain.test:80\r\n\r\n")
    await reader.head()
    socket.write("GET /tunnelled HTTP/1.1\r\nHost: plain.test\r\n\r\n")
    expect((await reader.message()).body.toString()).toStartWith("GET /tunnelled")
    socket.destroy()
  })

  test("bytes that follow CONNECT before its answer are not served", async () => {
    const { socket, reader } = await dialProxy(proxy)
    socket.write("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n\x16\x03\x01")
    expect((await reader.rest()).toString("latin1")).not.toContain("403")
    expect(socket.destroyed || socket.readableEnded).toBe(true)
  })

  test.each([
    "GET http://_egress.local/health HTTP/1.1\r\nHost: _egress.local\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: _egress.local\r\n\r\n",
  ])("its own name answers", async (bytes) => {
    const { socket, reader } = await dialProxy(proxy)
    socket.write(bytes)
    expect((await reader.message()).body.toString()).toBe("ok\n")
    socket.write(bytes.replace("/health", "/allowlist"))
    const list = (await reader.message()).body.toString()
    expect(list).toContain("https://api.test: /ok and below")
    expect(list).not.toContain("127.0.0.1")
    socket.destroy()
  })
})
