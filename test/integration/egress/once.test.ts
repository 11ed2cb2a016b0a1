import { afterEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
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
  const route = routeTo(upstream, authority, {
    matches: [{ methods: ["GET", "POST"], paths: [{ type: "exact", value: "/one" }] }],
  })
  const proxy = await startProxy(policyOf([], { once: [{ id: "d1", route }] }))
  opened.push(proxy, upstream)
  return { upstream, proxy }
}

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: api.test\r\n\r\n`

async function ask(proxy: TestProxy, bytes: string): Promise<number> {
  const { socket, reader } = await openTunnel(proxy)
  socket.write(bytes)
  const status = statusOf(await reader.message())
  socket.destroy()
  return status
}

describe("a rule for one request", () => {
  test("lets one of twenty at the same time pass, in tunnels that stand open already", async () => {
    const { upstream, proxy } = await startBoth()
    const wires = await Promise.all(Array.from({ length: 20 }, () => openTunnel(proxy)))
    for (const { socket } of wires) socket.write(get("/one"))
    const statuses = await Promise.all(wires.map(async ({ reader }) => statusOf(await reader.message())))
    for (const { socket } of wires) socket.destroy()
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 403)).toHaveLength(19)
    expect(upstream.requests).toHaveLength(1)
  })

  test("is not used up by a request that it does not permit", async () => {
    const { proxy } = await startBoth()
    expect(await ask(proxy, get("/two"))).toBe(403)
    expect(await ask(proxy, get("/one"))).toBe(200)
  })

  test("is gone with the first one: no other passes, and the policy's hash says so", async () => {
    const { proxy } = await startBoth()
    const before = proxy.egress.policyHash
    expect(await ask(proxy, get("/one?q=1"))).toBe(200)
    expect(proxy.egress.policyHash).not.toBe(before)
    expect(await ask(proxy, get("/one"))).toBe(403)
  })

  test("is on record with method, URL and body: before it is sent, and as it was sent", async () => {
    const { proxy } = await startBoth()
    await ask(proxy, "POST /one?q=1 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\n\r\nhello")
    const sha = (text: string) => createHash("sha256").update(text).digest("hex")
    await eventually(() => proxy.events.some(({ kind }) => kind === "once-sent"))
    expect(proxy.events.find(({ kind }) => kind === "once-used")).toMatchObject({
      ...{ once: "d1", method: "POST", host: "api.test", path: "/one", query_sha256: sha("q=1") },
    })
    expect(proxy.events.find(({ kind }) => kind === "once-sent")).toMatchObject({ body_sha256: sha("hello") })
  })

  test("is not brought back by a policy that was made before it was used", async () => {
    const { proxy, upstream } = await startBoth()
    const route = routeTo(upstream, authority)
    expect(await ask(proxy, get("/one"))).toBe(200)
    proxy.egress.applyPolicy(policyOf([], { once: [{ id: "d1", route }] }))
    expect(await ask(proxy, get("/one"))).toBe(403)
  })

  test("lets its request run to its end over a change of policy, and nothing after it", async () => {
    let finish = () => {}
    const { proxy } = await startBoth((_, stream) => {
      stream.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
      finish = () => void stream.write("world")
    })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get("/one"))
    await reader.until("hello")
    proxy.egress.applyPolicy(policyOf([{ host: "other.test", scheme: "https", port: 443 }]))
    finish()
    await reader.until("world")
    socket.write(get("/one"))
    await eventually(() => proxy.events.some(({ kind }) => kind === "refused"))
    socket.destroy()
  })

  test("that cannot be enforced is no policy at all", async () => {
    const { proxy } = await startBoth()
    const route = { host: "a b", scheme: "https" as const, port: 443 }
    expect(() => proxy.egress.applyPolicy(policyOf([], { once: [{ id: "d2", route }] }))).toThrow("cannot be enforced")
  })
})

test("a credential of the host goes with the one request too", async () => {
  const upstream = await startUpstream({
    authority,
    host: "api.test",
    reply: (request, stream) => respond(stream, request.lines.join("\n").includes("Bearer tok") ? "yes" : "no"),
  })
  const route = routeTo(upstream, authority, { auth: { scheme: "Bearer", token_ref: "T" } })
  const policy = policyOf([], { once: [{ id: "d1", route }] })
  const proxy = await startProxy(policy, { secrets: { T: "tok-0123456789abcdef" } })
  opened.push(proxy, upstream)
  const { socket, reader } = await openTunnel(proxy)
  socket.write(get("/"))
  expect((await reader.message()).body.toString()).toBe("yes")
  socket.destroy()
})
