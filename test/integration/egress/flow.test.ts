import { afterEach, describe, expect, test } from "bun:test"
import type { Duplex } from "node:stream"
import type { Route } from "../../../src/policy/types.ts"
import { createAuthority } from "../../support/tls/authority.ts"
import { eventually, openTunnel, policyOf, routeTo, startProxy } from "../../support/tls/proxy.ts"
import { startUpstream, type UpstreamOptions } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
const total = 200 * 1024 * 1024
const piece = Buffer.alloc(256 * 1024, "x")
/** What may lie in the buffers of two TLS connections, their sockets and ours. */
const buffers = 24 * 1024 * 1024
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close()
})

async function startBoth(options: Partial<UpstreamOptions>, route: Partial<Route> = {}) {
  const upstream = await startUpstream({ authority, host: "api.test", reply: () => {}, ...options })
  const proxy = await startProxy(policyOf([routeTo(upstream, authority, route)]), {
    secrets: { T: "secret-0123456789" },
  })
  opened.push(proxy, upstream)
  return { upstream, proxy }
}

/** Write `total` bytes at the reader's pace; `written` tells how far it came. */
function pour(stream: Duplex): { written: number } {
  const state = { written: 0 }
  const go = () => {
    while (state.written < total) {
      state.written += piece.length
      if (!stream.write(piece)) return stream.once("drain", go)
    }
  }
  go()
  return state
}

/** Wait until a count has stood still for 300 ms. */
async function standstill(count: () => number): Promise<number> {
  let last = -1
  let since = performance.now()
  await eventually(() => {
    if (count() !== last) {
      last = count()
      since = performance.now()
    }
    return performance.now() - since > 300
  }, 300_000)
  return last
}

const routes: [name: string, route: Partial<Route>][] = [
  ["as it is", {}],
  ["searched for secrets", { auth: { scheme: "Bearer", token_ref: "T" } }],
]

describe("back-pressure", () => {
  test.each(routes)(
    "a client that stops reading stops the upstream (%s)",
    async (_, route) => {
      let poured = { written: 0 }
      const { proxy } = await startBoth(
        {
          reply(_request, stream) {
            stream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
            poured = pour(stream)
          },
        },
        route,
      )
      const { socket } = await openTunnel(proxy)
      socket.removeAllListeners("data")
      Bun.gc(true)
      const before = process.memoryUsage.rss()
      socket.pause()
      socket.write("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n")
      await eventually(() => poured.written > 0)
      expect(await standstill(() => poured.written)).toBeLessThan(buffers)
      // What waits to be collected is not held: this process is client and upstream as well.
      Bun.gc(true)
      expect(process.memoryUsage.rss() - before).toBeLessThan(80 * 1024 * 1024)
      let received = 0
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length
      })
      socket.resume()
      await eventually(() => received > total)
      socket.destroy()
    },
    300_000,
  )

  test("an upstream that stops reading stops the client", async () => {
    let sink: Duplex | undefined
    const { proxy } = await startBoth({
      onHead(_lines, stream) {
        stream.removeAllListeners("data")
        stream.pause()
        sink = stream
        return true
      },
    })
    const { socket } = await openTunnel(proxy)
    socket.write(`PUT / HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${total}\r\n\r\n`)
    await eventually(() => sink !== undefined)
    const poured = pour(socket)
    expect(await standstill(() => poured.written)).toBeLessThan(buffers)
    let received = 0
    sink?.on("data", (chunk: Buffer) => {
      received += chunk.length
    })
    sink?.resume()
    await eventually(() => received > total - piece.length)
    socket.destroy()
  }, 300_000)
})

describe("a client that goes away", () => {
  test("in the middle of an answer takes the upstream connection with it", async () => {
    const { upstream, proxy } = await startBoth({
      reply(_request, stream) {
        stream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
        pour(stream)
      },
    })
    const { socket, reader } = await openTunnel(proxy)
    socket.write("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n")
    await reader.bytes(1000)
    socket.destroy()
    await eventually(() => upstream.open.size === 0)
  })

  test("while the upstream thinks takes it too", async () => {
    const { upstream, proxy } = await startBoth({ reply: () => {} })
    const { socket } = await openTunnel(proxy)
    socket.write("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n")
    await eventually(() => upstream.requests.length === 1)
    socket.destroy()
    await eventually(() => upstream.open.size === 0)
  })

  test("in the middle of its body leaves the upstream without an end", async () => {
    let got = ""
    const { upstream, proxy } = await startBoth({
      onHead(_lines, stream, reader) {
        got = reader.held.toString("latin1")
        stream.on("data", (chunk: Buffer) => {
          got += chunk.toString("latin1")
        })
        return true
      },
    })
    const { socket } = await openTunnel(proxy)
    socket.write("POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await eventually(() => got.includes("hello"))
    socket.destroy()
    await eventually(() => upstream.open.size === 0)
    expect(got).not.toContain("0\r\n\r\n")
  })
})

test("an early answer to a body that is still coming reaches the client", async () => {
  const { proxy } = await startBoth({
    onHead(_lines, stream) {
      stream.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
      return true
    },
  })
  const { socket, reader } = await openTunnel(proxy)
  socket.write(`PUT / HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${total}\r\n\r\nsome`)
  const message = await reader.message()
  expect(message.body.toString()).toBe("big")
  await eventually(() => socket.destroyed || socket.readableEnded)
  socket.destroy()
})
