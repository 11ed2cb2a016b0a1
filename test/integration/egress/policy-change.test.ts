import { afterEach, describe, expect, test } from "bun:test"
import { createAuthority } from "../../support/tls/authority.ts"
import { statusOf } from "../../support/tls/messages.ts"
import { eventually, openTunnel, policyOf, routeTo, startProxy, type TestProxy } from "../../support/tls/proxy.ts"
import { echoHead, respond, startUpstream, type Upstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})

async function startBoth(reply = echoHead): Promise<{ upstream: Upstream; proxy: TestProxy }> {
  const upstream = await startUpstream({ authority, host: "api.test", reply })
  const proxy = await startProxy(policyOf([routeTo(upstream, authority)]))
  opened.push(proxy, upstream)
  return { upstream, proxy }
}

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: api.test\r\n\r\n`

describe("a change of policy", () => {
  test("cuts tunnels that it no longer permits, and says so", async () => {
    const { proxy } = await startBoth()
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/"))
    expect(statusOf(await reader.message())).toBe(200)
    const hash = proxy.egress.applyPolicy(policyOf([]))
    expect(hash).toBe(proxy.egress.policyHash)
    await eventually(() => socket.destroyed)
    expect(proxy.events.filter(({ kind }) => kind === "tunnel-cut")).toHaveLength(1)
  })

  test("cuts a stream under way whose path it no longer permits, and leaves the idle tunnel beside it", async () => {
    const { upstream, proxy } = await startBoth((_, stream) => {
      stream.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    })
    const streaming = await openTunnel(proxy)
    const idle = await openTunnel(proxy)
    streaming.socket.write(get("/stream"))
    await streaming.reader.until("hello")
    proxy.egress.applyPolicy(
      policyOf([routeTo(upstream, authority, { matches: [{ paths: [{ type: "exact", value: "/other" }] }] })]),
    )
    await eventually(() => streaming.socket.destroyed)
    await eventually(() => upstream.open.size === 0)
    idle.socket.write(get("/stream"))
    expect(statusOf(await idle.reader.message())).toBe(403)
    idle.socket.destroy()
  })

  test("leaves a stream that it still permits", async () => {
    let finish = () => {}
    const { upstream, proxy } = await startBoth((_, stream) => {
      stream.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
      finish = () => stream.write("world")
    })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/stream"))
    await reader.until("hello")
    proxy.egress.applyPolicy(policyOf([routeTo(upstream, authority)], { allowlist: ["more.test"] }))
    finish()
    expect((await reader.bytes(5)).toString()).toBe("world")
    socket.destroy()
  })

  test("that is the same changes nothing", async () => {
    const { upstream, proxy } = await startBoth()
    const before = proxy.egress.policyHash
    expect(proxy.egress.applyPolicy(policyOf([routeTo(upstream, authority)]))).toBe(before)
  })

  test("that cannot be enforced is refused whole", async () => {
    const { upstream, proxy } = await startBoth()
    const before = proxy.egress.policyHash
    const bad = routeTo(upstream, authority, { host: "*.test", auth: { scheme: "Bearer", token_ref: "A" } })
    expect(() => proxy.egress.applyPolicy(policyOf([bad]))).toThrow("cannot be enforced")
    expect(proxy.egress.policyHash).toBe(before)
  })

  test("while a connection is being made leaves no connection behind", async () => {
    const { upstream, proxy } = await startBoth((_, stream) => respond(stream, "x"))
    const { socket } = await openTunnel(proxy)
    socket.write(get("/"))
    await eventually(() => upstream.accepted === 1)
    proxy.egress.applyPolicy(policyOf([]))
    await eventually(() => socket.destroyed && upstream.open.size === 0)
  })
})
