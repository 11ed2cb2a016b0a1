import { afterEach, describe, expect, test } from "bun:test"
import type { Duplex } from "node:stream"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import type { Route } from "../../../src/policy/types.ts"
import { createAuthority } from "../../support/tls/authority.ts"
import { fieldOf, statusOf } from "../../support/tls/messages.ts"
import { dialProxy, openTunnel, policyOf, routeTo, startProxy, type TestProxy } from "../../support/tls/proxy.ts"
import { echoHead, type Reply, respond, startUpstream, type Upstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
const secret = "sk-live/0123+456789abcdefXYZ"
const stars = "*".repeat(secret.length)
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})

async function startBoth(reply: Reply, more: Partial<Route> = {}): Promise<{ upstream: Upstream; proxy: TestProxy }> {
  const upstream = await startUpstream({ authority, host: "api.test", reply })
  const auth = { scheme: "Bearer", token_ref: "TOKEN" }
  const proxy = await startProxy(policyOf([routeTo(upstream, authority, { auth, ...more })], { log: 2 }), {
    secrets: { TOKEN: secret },
  })
  opened.push(proxy, upstream)
  return { upstream, proxy }
}

const get = (target: string, fields = "") => `GET ${target} HTTP/1.1\r\nHost: api.test\r\n${fields}\r\n`

async function ask(proxy: TestProxy, request = get("/")) {
  const { socket, reader } = await openTunnel(proxy)
  socket.write(request)
  const message = await reader.message()
  socket.destroy()
  return message
}

describe("on a route with auth", () => {
  test("the agent's credentials go and the operator's come, and the echo is starred", async () => {
    const { upstream, proxy } = await startBoth(echoHead)
    const message = await ask(
      proxy,
      get(
        "/x?access_token=mine&q=1",
        "Authorization: Bearer placeholder\r\nX-Api-Key: mine\r\nCookie: mine=1\r\nX-HTTP-Method-Override: DELETE\r\n",
      ),
    )
    const [request] = upstream.requests
    expect(request?.target).toBe("/x?q=1")
    expect(request?.lines.slice(1)).toEqual(["Host: api.test", `Authorization: Bearer ${secret}`])
    expect(message.body.toString()).toContain(`Authorization: Bearer ${stars}`)
  })

  test("answers are asked for whole and in codings that can be read", async () => {
    const { upstream, proxy } = await startBoth(echoHead)
    await ask(proxy, get("/", "Accept-Encoding: zstd, gzip;q=0.5, br\r\nRange: bytes=0-1\r\nIf-Range: x\r\n"))
    const [request] = upstream.requests
    expect(request?.lines.slice(2, -1)).toEqual(["Accept-Encoding: gzip;q=0.5, br"])
  })

  const bytes = Buffer.from(secret)
  const shifted = (before: string) => Buffer.from(`${before}${secret}--`).toString("base64")
  const encodings: [name: string, text: string, leak: string][] = [
    ["as it is", secret, secret],
    ["in base64", shifted(""), shifted("").slice(2, 34)],
    ["in base64 after one byte", shifted("a"), shifted("a").slice(4, 34)],
    ["in base64 after two bytes", shifted("ab"), shifted("ab").slice(4, 34)],
    ["in base64url", bytes.toString("base64url"), bytes.toString("base64url").slice(0, 34)],
    ["in hex", bytes.toString("hex"), bytes.toString("hex")],
    ["in capital hex", bytes.toString("hex").toUpperCase(), bytes.toString("hex").toUpperCase()],
    ["percent-encoded", encodeURIComponent(secret), encodeURIComponent(secret)],
    [
      "percent-encoded wholly",
      bytes.toString("hex").replace(/../g, "%$&"),
      bytes.toString("hex").replace(/../g, "%$&"),
    ],
    ["JSON-escaped", JSON.stringify({ a: secret }).replace("/", "\\/"), secret.replace("/", "\\/")],
  ]
  test.each(encodings)("an echo %s does not come back", async (_, text, leak) => {
    const { proxy } = await startBoth((_request, stream) => respond(stream, `before ${text} after`))
    const body = (await ask(proxy)).body.toString()
    expect(body).not.toContain(leak)
    expect(body).toHaveLength(`before ${text} after`.length)
    expect(body).toStartWith("before ")
    expect(body).toEndWith(" after")
  })

  const codings: [name: string, encode: (text: string) => Buffer][] = [
    ["gzip", (text) => gzipSync(text)],
    ["br", (text) => brotliCompressSync(text)],
    ["deflate", (text) => deflateSync(text)],
    ["deflate", (text) => deflateRawSync(text)],
  ]
  test.each(codings)("an echo in %s is taken out of its coding and starred", async (coding, encode) => {
    const { proxy } = await startBoth((_, stream) =>
      respond(stream, encode(`a ${secret} b`), [`Content-Encoding: ${coding}`]),
    )
    const message = await ask(proxy)
    expect(fieldOf(message, "content-encoding")).toBe("")
    expect(message.body.toString()).toBe(`a ${stars} b`)
  })

  test.each(["zstd", "gzip, gzip"])("a coding that cannot be read (%s) is refused", async (coding) => {
    const { proxy } = await startBoth((_, stream) => respond(stream, secret, [`Content-Encoding: ${coding}`]))
    const message = await ask(proxy)
    expect(statusOf(message)).toBe(502)
    expect(message.raw.toString()).not.toContain(secret)
  })

  test("an echo over chunks, in trailers, in fields, in the reason and in interim answers is starred", async () => {
    const { proxy } = await startBoth((_, stream) => {
      stream.write(`HTTP/1.1 103 Early\r\nX-Early: ${secret}\r\n\r\n`)
      stream.write(`HTTP/1.1 200 ${secret}\r\nLocation: /?${secret}\r\nTransfer-Encoding: chunked\r\n\r\n`)
      for (const byte of secret) stream.write(`1\r\n${byte}\r\n`)
      stream.write(`0\r\nX-Trailer: ${secret}\r\n\r\n`)
    })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/"))
    const early = await reader.head()
    const message = await reader.message()
    expect(early.lines[1]).toBe(`X-Early: ${stars}`)
    expect(message.lines.slice(0, 2)).toEqual([`HTTP/1.1 200 ${stars}`, `Location: /?${stars}`])
    expect(message.body.toString()).toBe(stars)
    expect(message.trailers).toEqual([`X-Trailer: ${stars}`])
    socket.destroy()
  })

  test("events of a stream are not held back", async () => {
    let send: (text: string) => void = () => {}
    const { proxy } = await startBoth((_, stream: Duplex) => {
      stream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      send = (text) => stream.write(`${text.length.toString(16)}\r\n${text}\r\n`)
    })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/"))
    await reader.head()
    for (const text of ["data: one\n\n", `data: ${secret}\n\n`, "data: three\n\n"]) {
      send(text)
      expect((await reader.until("\n\n\r\n")).toString()).toContain(text.replace(secret, stars))
    }
    socket.destroy()
  })

  test("a rotated value is used, and the old one is starred as well", async () => {
    const { upstream, proxy } = await startBoth((request, stream) =>
      respond(stream, `${secret} ${request.lines.join()}`),
    )
    proxy.egress.setSecrets({ TOKEN: "another-secret-value" })
    const body = (await ask(proxy)).body.toString()
    expect(upstream.requests[0]?.lines.at(-1)).toBe("Authorization: Bearer another-secret-value")
    expect(body).not.toContain(secret)
    expect(body).not.toContain("another-secret-value")
  })

  test("no value means no request, and the agent is not told the slot", async () => {
    const { upstream, proxy } = await startBoth(echoHead)
    proxy.egress.setSecrets({ TOKEN: "" })
    const message = await ask(proxy)
    expect(statusOf(message)).toBe(403)
    expect(JSON.parse(message.body.toString()).error.reason).toBe("secret-missing")
    expect(message.body.toString()).not.toContain("TOKEN")
    expect(proxy.events.at(-1)).toMatchObject({ kind: "refused", reason: "secret-missing", slot: "TOKEN" })
    expect(upstream.requests).toHaveLength(0)
  })

  test("no event holds it, whatever the agent puts where", async () => {
    const { proxy } = await startBoth(echoHead)
    await ask(proxy, get(`/${encodeURIComponent(secret)}`, `X-Note: ${secret}\r\nAuthorization: ${secret}\r\n`))
    const wire = await dialProxy(proxy)
    wire.socket.write(`CONNECT ${secret.replace(/[^a-z0-9]/gi, "")}.test:443 HTTP/1.1\r\nHost: x\r\n\r\n`)
    await wire.reader.message()
    const told = JSON.stringify(proxy.events)
    expect(proxy.events.map(({ kind }) => kind)).toContain("request")
    expect(told).not.toContain(secret)
    expect(told).not.toContain(encodeURIComponent(secret))
  })
})

test("on a route without auth the body passes untouched in its coding", async () => {
  const upstream = await startUpstream({
    ...{ authority, host: "api.test" },
    reply: (_, stream) => respond(stream, gzipSync("plain"), ["Content-Encoding: gzip"]),
  })
  const proxy = await startProxy(policyOf([routeTo(upstream, authority)]), { secrets: { OTHER: "plain" } })
  opened.push(proxy, upstream)
  const message = await ask(proxy, get("/", "Accept-Encoding: zstd\r\nAuthorization: mine\r\n"))
  expect(message.body.equals(gzipSync("plain"))).toBe(true)
  expect(upstream.requests[0]?.lines.slice(2)).toEqual(["Accept-Encoding: zstd", "Authorization: mine"])
})
