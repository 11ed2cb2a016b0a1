import { afterEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import type { Duplex } from "node:stream"
import type { Route } from "../../../src/policy/types.ts"
import { createAuthority } from "../../support/tls/authority.ts"
import { fieldOf, statusOf } from "../../support/tls/messages.ts"
import { eventually, openTunnel, policyOf, routeTo, startProxy } from "../../support/tls/proxy.ts"
import { startUpstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
const secret = "secret-0123456789"
const key = "dGhlIHNhbXBsZSBub25jZQ=="
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})

const handshake = (fields = "") =>
  `GET /ws HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`

const acceptOf = (text: string) =>
  createHash("sha1").update(`${text}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")

/** An upstream that accepts and then gives back every byte; `heads` are the heads it saw. */
async function startEcho(route: Partial<Route>, accept = acceptOf, fields = "") {
  const heads: string[][] = []
  let peer: Duplex | undefined
  const upstream = await startUpstream({
    ...{ authority, host: "api.test", reply: () => {} },
    onHead(lines, stream) {
      heads.push(lines)
      peer = stream
      stream.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${fields}Sec-WebSocket-Accept: ${accept(fieldOf({ lines }, "sec-websocket-key"))}\r\n\r\n`,
      )
      stream.removeAllListeners("data")
      stream.on("data", (chunk) => stream.write(chunk))
      return true
    },
  })
  const proxy = await startProxy(policyOf([routeTo(upstream, authority, route)]), { secrets: { T: secret } })
  opened.push(proxy, upstream)
  return { upstream, proxy, heads, send: (bytes: Buffer) => peer?.write(bytes) }
}

describe("a WebSocket", () => {
  test("passes on a route that allows it, both ways, and the connection is not used again", async () => {
    const { upstream, proxy } = await startEcho({ websocket: true })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(handshake())
    expect((await reader.head()).lines[0]).toBe("HTTP/1.1 101 Switching Protocols")
    const frame = Buffer.from("\x81\x85abcdhello", "latin1")
    socket.write(frame)
    expect(await reader.bytes(frame.length)).toEqual(frame)
    socket.destroy()
    await eventually(() => upstream.open.size === 0)
    expect(proxy.events.some(({ kind, status }) => kind === "request" && status === 101)).toBe(true)
  })

  test("is answered with 426 elsewhere, and the connection goes on", async () => {
    const { proxy, heads } = await startEcho({})
    const { socket, reader } = await openTunnel(proxy)
    socket.write(handshake())
    const message = await reader.message()
    expect(statusOf(message)).toBe(426)
    expect(JSON.parse(message.body.toString()).error.reason).toBe("upgrade")
    socket.write(handshake())
    expect(statusOf(await reader.message())).toBe(426)
    expect(heads).toHaveLength(0)
    socket.destroy()
  })

  test.each([
    ["a key that is none", handshake().replace(key, "short")],
    ["another version", handshake().replace("Version: 13", "Version: 12")],
    ["a second protocol", handshake().replace("Upgrade: websocket", "Upgrade: websocket, h2c")],
    ["POST", handshake().replace("GET", "POST")],
    ["a body", handshake("Content-Length: 3\r\n")],
    ["no Connection field", handshake().replace("Connection: Upgrade\r\n", "")],
  ])("with %s is refused", async (_, bytes) => {
    const { proxy, heads } = await startEcho({ websocket: true })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(bytes)
    expect([400, 403, 426]).toContain(statusOf(await reader.message()))
    expect(heads).toHaveLength(0)
    socket.destroy()
  })

  test("that the upstream accepts falsely is refused", async () => {
    const { proxy } = await startEcho({ websocket: true }, () => "bm90IHRoZSByaWdodCBhbnN3ZXI=")
    const { socket, reader } = await openTunnel(proxy)
    socket.write(handshake())
    expect(statusOf(await reader.message())).toBe(502)
    socket.destroy()
  })

  test("is cut when the policy no longer permits it", async () => {
    const { upstream, proxy } = await startEcho({ websocket: true })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(handshake())
    await reader.head()
    proxy.egress.applyPolicy(policyOf([routeTo(upstream, authority)]))
    await eventually(() => socket.destroyed && upstream.open.size === 0)
    expect(proxy.events.some(({ kind, what }) => kind === "tunnel-cut" && what === "websocket")).toBe(true)
  })

  test("with a credential offers no extension, and an echo of it is starred message by message", async () => {
    const auth = { scheme: "Bearer", token_ref: "T" }
    const { proxy, heads, send } = await startEcho({ websocket: true, auth })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(handshake("Sec-WebSocket-Extensions: permessage-deflate\r\nAuthorization: Bearer placeholder\r\n"))
    await reader.head()
    expect(heads[0]?.join("\n")).not.toContain("Extensions")
    expect(heads[0]?.join("\n")).toContain(`Authorization: Bearer ${secret}`)
    const text = Buffer.from(`<${secret}>`)
    // A message that ends like the beginning of the secret must not wait for the next one.
    const tail = Buffer.from("ends with secret-0")
    send(Buffer.concat([Buffer.from([0x81, text.length]), text, Buffer.from([0x81, tail.length]), tail]))
    expect((await reader.bytes(2 + text.length)).subarray(2).toString()).toBe(`<${"*".repeat(secret.length)}>`)
    expect((await reader.bytes(2 + tail.length)).subarray(2).toString()).toBe(tail.toString())
    socket.destroy()
  })

  test("with a credential and an extension that was not offered is refused", async () => {
    const auth = { scheme: "Bearer", token_ref: "T" }
    const { proxy } = await startEcho({ websocket: true, auth }, acceptOf, "Sec-WebSocket-Extensions: x\r\n")
    const { socket, reader } = await openTunnel(proxy)
    socket.write(handshake())
    expect(statusOf(await reader.message())).toBe(502)
    socket.destroy()
  })
})
