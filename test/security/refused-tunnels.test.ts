import { afterEach, describe, expect, test } from "bun:test"
import { connect as connectTls } from "node:tls"
import { fenceProofHost } from "../../sidecars/guest/protocol.ts"
import { createAuthority } from "../support/tls/authority.ts"
import { statusOf } from "../support/tls/messages.ts"
import {
  dialProxy,
  eventually,
  openTunnel,
  policyOf,
  routeTo,
  startProxy,
  type TestProxy,
} from "../support/tls/proxy.ts"
import { echoHead, startUpstream, type Upstream } from "../support/tls/upstream.ts"

/**
 * A refused host's CONNECT opens a tunnel, so that the refusal inside can say what to do. What an agent could make of
 * such a tunnel: a way out, a lookup, a refusal that nobody counts, or the end of the proxy by many names.
 */

const authority = createAuthority("upstream")
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})

interface Both {
  upstream: Upstream
  proxy: TestProxy
  /** Names that were looked up. */
  resolved: string[]
  route: ReturnType<typeof routeTo>
}

async function startBoth(more: Parameters<typeof startProxy>[1] = {}): Promise<Both> {
  const upstream = await startUpstream({ authority, host: "api.test", reply: echoHead })
  const route = routeTo(upstream, authority, { auth: { scheme: "Bearer", token_ref: "T" } })
  const resolved: string[] = []
  const proxy = await startProxy(policyOf([{ ...route, host: "other.test" }]), {
    secrets: { T: "the-operators-token-0123456789" },
    resolve: async (host) => {
      resolved.push(host)
      return ["127.0.0.1"]
    },
    ...more,
  })
  opened.push(proxy, upstream)
  return { upstream, proxy, resolved, route }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`
const refusals = ({ events }: TestProxy) => events.filter(({ kind }) => kind === "refused")
const connectTo = (authority: string) => `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`

describe("in a tunnel to a host that is refused,", () => {
  test("each request is refused in words, counted, and nothing goes out or is looked up", async () => {
    const { upstream, proxy, resolved } = await startBoth()
    const { socket, reader } = await openTunnel(proxy)
    for (const path of ["/one", "/two"]) {
      socket.write(get(path))
      const message = await reader.message()
      const { error } = JSON.parse(message.body.toString())
      expect([statusOf(message), error.reason]).toEqual([403, "unlisted-host"])
      expect(error.remedy).toContain(`egress-block {"host":"api.test","path_allowlist":["${path}"],"methods":["GET"]`)
      expect(message.raw.toString()).not.toContain("the-operators-token")
    }
    socket.destroy()
    await eventually(() => refusals(proxy).length === 2)
    expect(refusals(proxy)[1]).toMatchObject({ host: "api.test", port: 443, method: "GET", path: "/two", status: 403 })
    expect([upstream.accepted, resolved]).toEqual([0, []])
  })

  test("an approval lets the next request pass, and its end the one after it not", async () => {
    const { proxy, route } = await startBoth()
    const { socket, reader } = await openTunnel(proxy)
    const ask = async () => {
      socket.write(get("/one"))
      return statusOf(await reader.message())
    }
    expect(await ask()).toBe(403)
    proxy.egress.applyPolicy(policyOf([route]))
    expect(await ask()).toBe(200)
    proxy.egress.applyPolicy(policyOf([]))
    expect(await ask()).toBe(403)
    socket.destroy()
  })

  test("bytes that are no TLS end it, and are refused on record", async () => {
    const { upstream, proxy, resolved } = await startBoth({ limits: { handshakeTime: 150 } })
    for (const bytes of [get("/one"), "SSH-2.0-x\r\n", "\x05\x01\x00", "\0".repeat(2_000)]) {
      const before = refusals(proxy).length
      const { socket, reader } = await dialProxy(proxy)
      socket.write(connectTo("api.test:443"))
      expect((await reader.head()).lines[0]).toContain("200")
      socket.write(Buffer.from(bytes, "latin1"))
      expect((await reader.rest()).toString("latin1")).not.toContain("HTTP/1.1")
      await eventually(() => refusals(proxy).length === before + 1)
      expect(refusals(proxy).at(-1)).toMatchObject({ host: "api.test", method: "CONNECT", reason: "unlisted-host" })
    }
    expect([upstream.accepted, resolved]).toEqual([0, []])
  })

  test("another name in the handshake ends it", async () => {
    const { proxy } = await startBoth()
    const inside = openTunnel(proxy, { servername: "other.test" }).then(({ socket, reader }) => {
      socket.write(get("/one"))
      return reader.message()
    })
    await expect(inside).rejects.toThrow()
    await eventually(() => refusals(proxy).some(({ reason }) => reason === "sni-mismatch"))
  })

  test("whoever goes away without a request, or speaks HTTP/2 alone, or says nothing, is refused on record", async () => {
    const { proxy } = await startBoth({ limits: { handshakeTime: 150 } })
    const quiet = await dialProxy(proxy)
    quiet.socket.write(connectTo("quiet.test:443"))
    ;(await openTunnel(proxy, { host: "gone.test" })).socket.destroy()
    const other = await dialProxy(proxy)
    other.socket.write(connectTo("h2.test:443"))
    await other.reader.head()
    other.socket.removeAllListeners("data")
    const secure = connectTls({ socket: other.socket, servername: "h2.test", ALPNProtocols: ["h2"], ca: proxy.ca.cert })
    secure.on("error", () => {})
    const seen = () => [...new Set(refusals(proxy).map(({ host }) => host))].sort()
    await eventually(() => seen().length === 3)
    expect(seen()).toEqual(["gone.test", "h2.test", "quiet.test"])
    for (const { socket } of [quiet, other]) await eventually(() => socket.destroyed)
  })
})

test("other ports, and the fence proof's name, are refused before a tunnel", async () => {
  const { proxy } = await startBoth()
  for (const to of ["api.test:80", "api.test:22", "api.test:8443", "other.test:22", `${fenceProofHost}:443`]) {
    const { socket, reader } = await dialProxy(proxy)
    socket.write(connectTo(to))
    expect([to, statusOf(await reader.message())]).toEqual([to, 403])
    socket.destroy()
  }
})

test("of 3,000 random names a few get a tunnel, the others are refused at once, and who is listed is served", async () => {
  // Time stands still, so that how many pass is the burst.
  const { proxy, resolved, route } = await startBoth({ clock: { now: () => 1_000 } })
  proxy.egress.applyPolicy(policyOf([route]))
  const statuses: number[] = []
  const agent = async (from: number) => {
    for (let at = from; at < 3_000; at += 20) {
      const { socket, reader } = await dialProxy(proxy)
      socket.write(connectTo(`n${at}-${Bun.hash(String(at)).toString(36)}.test:443`))
      statuses.push(Number((await reader.head()).lines[0]?.split(" ")[1]))
      socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: 20 }, (_, from) => agent(from)))
  expect(statuses).toHaveLength(3_000)
  expect(statuses.filter((status) => status === 200)).toHaveLength(50)
  expect(statuses.filter((status) => status === 403)).toHaveLength(2_950)
  await eventually(() => refusals(proxy).length === 3_000)
  expect(resolved).toEqual([])
  const { socket, reader } = await openTunnel(proxy)
  socket.write(get("/"))
  expect(statusOf(await reader.message())).toBe(200)
  socket.destroy()
}, 300_000)
