import { afterEach, describe, expect, test } from "bun:test"
import type { EgressOptions } from "../../../sidecars/egress/main.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import { createAuthority } from "../../support/tls/authority.ts"
import { statusOf } from "../../support/tls/messages.ts"
import { dialProxy, eventually, openTunnel, policyOf, routeTo, startProxy } from "../../support/tls/proxy.ts"
import { type Reply, respond, startUpstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})

async function startBoth(more: Partial<EgressPolicy>, options: Partial<EgressOptions> = {}, reply?: Reply) {
  const upstream = await startUpstream({
    ...{ authority, host: "api.test" },
    reply: reply ?? ((_, stream) => respond(stream, "hello", ["X-Seen: yes", "Set-Cookie: session=abc"])),
  })
  const proxy = await startProxy(policyOf([routeTo(upstream, authority)], more), options)
  opened.push(proxy, upstream)
  return proxy
}

const get = "GET /path?query=private HTTP/1.1\r\nHost: api.test\r\nX-Api-Key: key-of-mine\r\nX-Plain: seen\r\n\r\n"
const refused = "GET /a/../b HTTP/1.1\r\nHost: api.test\r\n\r\n"

async function askBoth(proxy: Awaited<ReturnType<typeof startBoth>>) {
  const { socket, reader } = await openTunnel(proxy)
  socket.write(get + refused)
  await reader.message()
  await reader.message()
  socket.destroy()
  return proxy.events
}

describe("events", () => {
  test("at level 0 are refusals and errors only", async () => {
    const events = await askBoth(await startBoth({ log: 0 }))
    expect(events.map(({ kind }) => kind)).toEqual(["refused"])
    expect(events[0]).toMatchObject({
      host: "api.test",
      method: "GET",
      reason: "bad-path",
      gate: "egress",
      status: 403,
    })
  })

  test("at level 1 are one line a request, without its query", async () => {
    const [event] = await askBoth(await startBoth({ log: 1 }))
    expect(event).toMatchObject({ kind: "request", method: "GET", host: "api.test", path: "/path", status: 200 })
    expect(event).not.toHaveProperty("request_headers")
    expect(Object.keys(event ?? {})).toContain("ms")
    expect(new Date(event?.time ?? "").toISOString()).toBe(event?.time ?? "")
    expect(JSON.stringify(event)).not.toContain("private")
  })

  test("at level 2 show fields, and of credentials their length", async () => {
    const [event] = await askBoth(await startBoth({ log: 2 }))
    expect(event?.request_headers).toEqual(["Host: api.test", "X-Api-Key: (11 characters)", "X-Plain: seen"])
    expect(event?.response_headers).toEqual(["X-Seen: yes", "Set-Cookie: (11 characters)", "Content-Length: 5"])
  })

  test("that cannot be told change nothing", async () => {
    const emit = () => {
      throw new Error("nobody listens")
    }
    const proxy = await startBoth({ log: 1 }, { emit })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get + get)
    expect(statusOf(await reader.message())).toBe(200)
    expect(statusOf(await reader.message())).toBe(200)
    socket.destroy()
  })
})

describe("limits", () => {
  test("on connections close the one too many, and none that is open", async () => {
    const proxy = await startBoth({}, { limits: { connections: 2 } })
    const [first, second, third] = [await dialProxy(proxy), await dialProxy(proxy), await dialProxy(proxy)]
    expect(await third?.reader.rest()).toHaveLength(0)
    first?.socket.write("GET /health HTTP/1.1\r\nHost: _egress.local\r\n\r\n")
    expect(statusOf((await first?.reader.message()) as never)).toBe(200)
    for (const wire of [first, second]) wire?.socket.destroy()
  })

  test("on a body end a client that stops in its middle", async () => {
    const proxy = await startBoth({}, { limits: { uploadTime: 50 } })
    const { socket } = await openTunnel(proxy)
    socket.write("POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 50\r\n\r\nhalf")
    await eventually(() => socket.destroyed)
  })

  test("on idleness leave a stream that is silent for long alone", async () => {
    const limits = { idleTime: 500, headTime: 500, uploadTime: 500, closingTime: 500 }
    const proxy = await startBoth({}, { limits }, (_, stream) => {
      stream.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
      setTimeout(() => stream.write("later"), 1500)
    })
    const { socket, reader } = await openTunnel(proxy)
    socket.write(get)
    expect((await reader.message()).body.toString()).toBe("firstlater")
    await eventually(() => socket.destroyed)
  })
})
