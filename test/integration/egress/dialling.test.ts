import { afterEach, describe, expect, test } from "bun:test"
import { connect } from "node:net"
import type { EgressOptions } from "../../../sidecars/egress/main.ts"
import type { Route } from "../../../src/policy/types.ts"
import { createAuthority } from "../../support/tls/authority.ts"
import { type Message, statusOf } from "../../support/tls/messages.ts"
import { openTunnel, policyOf, startProxy, type TestProxy } from "../../support/tls/proxy.ts"
import { echoHead, startUpstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})

async function startUp(host = "api.test") {
  const upstream = await startUpstream({ authority, host, reply: echoHead })
  opened.push(upstream)
  return upstream
}

async function startWith(route: Partial<Route>, options: Partial<EgressOptions> = {}, more = {}): Promise<TestProxy> {
  const whole: Route = { host: "api.test", scheme: "https", port: 443, ca: authority.cert, ...route }
  const proxy = await startProxy(policyOf([whole], more), options)
  opened.push(proxy)
  return proxy
}

async function ask(proxy: TestProxy, port: number, host = "api.test"): Promise<Message> {
  const { socket, reader } = await openTunnel(proxy, { host, port })
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`)
  const message = await reader.message()
  socket.destroy()
  return message
}

const reasonOf = (message: Message) => JSON.parse(message.body.toString()).error.reason

describe("dialling", () => {
  test("a name that leads to a private address is refused, and nothing is dialled", async () => {
    const upstream = await startUp()
    const proxy = await startWith({ port: upstream.port }, { resolve: async () => ["127.0.0.1", "10.0.0.1"] })
    const message = await ask(proxy, upstream.port)
    expect([statusOf(message), reasonOf(message)]).toEqual([403, "private-address"])
    expect(upstream.accepted).toBe(0)
  })

  test("connect_to a private address needs allow_private as well", async () => {
    const upstream = await startUp()
    const proxy = await startWith({ connect_to: `127.0.0.1:${upstream.port}` })
    expect(reasonOf(await ask(proxy, 443))).toBe("private-address")
    expect(upstream.accepted).toBe(0)
  })

  test("a connection is resolved once and dialled by that address, however the name moves", async () => {
    const upstream = await startUp()
    let calls = 0
    const resolve = async () => (calls++ === 0 ? ["127.0.0.1"] : ["127.0.0.2"])
    const proxy = await startWith({ port: upstream.port, allow_private: true }, { resolve })
    expect(statusOf(await ask(proxy, upstream.port))).toBe(200)
    expect(statusOf(await ask(proxy, upstream.port))).toBe(200)
    expect([calls, upstream.accepted]).toEqual([1, 1])
  })

  test("an address that does not answer does not keep the next one from it", async () => {
    const upstream = await startUp()
    const resolve = async () => ["127.0.0.2", "::1", "127.0.0.1"]
    const proxy = await startWith({ port: upstream.port, allow_private: true }, { resolve })
    expect(statusOf(await ask(proxy, upstream.port))).toBe(200)
    expect(upstream.accepted).toBe(1)
  })

  test("nothing is resolved for a request that is refused, nor for a tunnel without a request", async () => {
    let calls = 0
    const resolve = async () => [`127.0.0.${++calls}`]
    const proxy = await startWith({ matches: [] }, { resolve })
    await openTunnel(proxy, { host: "evil.test" }).catch(() => {})
    const { socket, reader } = await openTunnel(proxy)
    socket.write("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n")
    expect(reasonOf(await reader.message())).toBe("no-match")
    expect(calls).toBe(0)
    socket.destroy()
  })

  const failing: [name: string, resolve: () => Promise<string[]>][] = [
    ["rejects", () => Promise.reject(new Error("no such name"))],
    ["never answers", () => new Promise(() => {})],
    ["has no address", () => Promise.resolve([])],
    ["answers with nonsense", () => Promise.resolve(["not-an-address"])],
  ]
  test.each(failing)("a resolver that %s is a refusal", async (_, resolve) => {
    const proxy = await startWith({}, { resolve, limits: { resolveTime: 50 } })
    expect([403, 502]).toContain(statusOf(await ask(proxy, 443)))
  })

  test("this host's own addresses are refused even where they are public", async () => {
    const proxy = await startWith({}, { resolve: async () => ["8.8.8.8"], ownAddresses: () => ["8.8.8.8"] })
    expect(reasonOf(await ask(proxy, 443))).toBe("private-address")
  })

  test("a list of own addresses that cannot be made is a refusal", async () => {
    const ownAddresses = () => {
      throw new Error("broken")
    }
    const proxy = await startWith({}, { resolve: async () => ["8.8.8.8"], ownAddresses })
    expect(statusOf(await ask(proxy, 443))).toBe(502)
  })

  test("an address as host is verified by its own certificate", async () => {
    const upstream = await startUp("127.0.0.1")
    const proxy = await startWith({ host: "127.0.0.1", port: upstream.port, allow_private: true })
    expect(statusOf(await ask(proxy, upstream.port, "127.0.0.1"))).toBe(200)
  })
})

describe("the upstream's certificate", () => {
  test("must come from a trusted authority, whatever the environment says", async () => {
    const upstream = await startUp()
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"
    const proxy = await startWith({
      ...{ connect_to: `127.0.0.1:${upstream.port}`, allow_private: true },
      ca: createAuthority("stranger").cert,
    })
    expect(process.env.NODE_TLS_REJECT_UNAUTHORIZED).toBeUndefined()
    const message = await ask(proxy, 443)
    expect([statusOf(message), reasonOf(message)]).toEqual([502, "upstream-untrusted"])
    expect(upstream.requests).toHaveLength(0)
  })

  test("must name the host of the request, not what was dialled", async () => {
    const upstream = await startUp("other.test")
    const proxy = await startWith({ connect_to: `127.0.0.1:${upstream.port}`, allow_private: true })
    expect(reasonOf(await ask(proxy, 443))).toBe("upstream-untrusted")
  })

  test("may come from an authority of the system", async () => {
    const upstream = await startUp()
    const proxy = await startProxy(
      policyOf([
        { host: "api.test", scheme: "https", port: 443, connect_to: `127.0.0.1:${upstream.port}`, allow_private: true },
      ]),
      { systemCa: authority.cert },
    )
    opened.push(proxy)
    expect(statusOf(await ask(proxy, 443))).toBe(200)
  })
})

describe("a further proxy", () => {
  test("is asked with CONNECT, and TLS is verified through it", async () => {
    const upstream = await startUp()
    const asked: string[] = []
    const further = await startUpstream({
      reply: () => {},
      onHead(lines, stream, reader) {
        asked.push(...lines)
        stream.removeAllListeners("data")
        const onward = connect(upstream.port, "127.0.0.1", () => stream.write("HTTP/1.1 200 OK\r\n\r\n"))
        onward.write(reader.held)
        stream.pipe(onward).pipe(stream)
        return true
      },
    })
    opened.push(further)
    const proxy = await startWith({}, {}, { upstream_proxy: `http://me:pw@127.0.0.1:${further.port}` })
    expect(statusOf(await ask(proxy, 443))).toBe(200)
    expect(asked).toEqual([
      "CONNECT api.test:443 HTTP/1.1",
      "Host: api.test:443",
      `Proxy-Authorization: Basic ${Buffer.from("me:pw").toString("base64")}`,
    ])
  })

  test("that refuses is an unreachable upstream", async () => {
    const further = await startUpstream({
      reply: (_, stream) => stream.end("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
    })
    opened.push(further)
    const proxy = await startWith({}, {}, { upstream_proxy: `http://127.0.0.1:${further.port}` })
    expect(reasonOf(await ask(proxy, 443))).toBe("upstream-unreachable")
  })
})

test("an upstream that nobody serves is told as such", async () => {
  const upstream = await startUp()
  const { port } = upstream
  await opened.splice(0).pop()?.close()
  const proxy = await startWith({ connect_to: `127.0.0.1:${port}`, allow_private: true })
  const message = await ask(proxy, 443)
  expect([statusOf(message), reasonOf(message)]).toEqual([502, "upstream-unreachable"])
  expect(message.raw.toString()).not.toContain("127.0.0.1")
})
