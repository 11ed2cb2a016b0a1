import { afterAll, beforeAll, expect, test } from "bun:test"
import { createAuthority } from "../../support/tls/authority.ts"
import { statusOf } from "../../support/tls/messages.ts"
import { dialProxy, openTunnel, policyOf, routeTo, startProxy, type TestProxy } from "../../support/tls/proxy.ts"
import { Random } from "../../support/tls/random.ts"
import { respond, startUpstream, type Upstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
/** More of them are run by setting FUZZ_RUNS; a case is named by its seed. */
const runs = Number(process.env.FUZZ_RUNS ?? 400)
let upstream: Upstream
let proxy: TestProxy

/** Run a case for each seed, so many at a time that the proxy's limit on connections is not met. */
async function runSeeds(each: (random: Random) => Promise<void>): Promise<void> {
  for (let seed = 0; seed < runs; seed += 200) {
    const batch = Array.from({ length: Math.min(200, runs - seed) }, (_, at) => each(new Random(seed + at)))
    await Promise.all(batch)
  }
}

beforeAll(async () => {
  upstream = await startUpstream({ authority, host: "api.test", reply: (_, stream) => respond(stream, "ok") })
  proxy = await startProxy(
    policyOf([
      routeTo(upstream, authority, {
        matches: [{ methods: ["GET", "POST"], paths: [{ type: "prefix", value: "/ok" }] }],
        auth: { scheme: "Bearer", token_ref: "T" },
      }),
    ]),
    {
      secrets: { T: "secret-0123456789" },
      limits: { headTime: 250, idleTime: 250, uploadTime: 250, closingTime: 250, handshakeTime: 5000 },
    },
  )
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const seeds = [
  "GET /ok HTTP/1.1\r\nHost: api.test\r\nAccept: */*\r\n\r\n",
  "POST /ok/x?token=1 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\nAuthorization: x\r\n\r\nhello",
  "POST /ok HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
  "GET /ok HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
]
const spices = [
  ...[
    "\r",
    "\n",
    "\r\n",
    "\0",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "/",
    "..",
    "%2e",
    "%2f",
    "\\",
    "\x7f",
    "\xa0",
    "0",
    "-1",
    "chunked",
  ],
  ...["Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Host: evil.test\r\n", "Connection: host\r\n"],
  ...["Authorization: mine\r\n", "GET /no HTTP/1.1\r\nHost: api.test\r\n\r\n", "GET http://evil.test/ HTTP/1.1\r\n"],
]

function mutate(random: Random): Buffer {
  let bytes = Buffer.from(random.pick(seeds) + (random.below(3) === 0 ? random.pick(seeds) : ""), "latin1")
  for (let change = random.below(4); change >= 0; change--) {
    const at = random.below(bytes.length + 1)
    const gone = random.below(3) === 0 ? random.below(6) : 0
    const spice = Buffer.from(random.below(4) === 0 ? "" : random.pick(spices), "latin1")
    bytes = Buffer.concat([bytes.subarray(0, at), spice, bytes.subarray(at + gone)])
  }
  return bytes
}

test("whatever is sent through a tunnel, the upstream gets whole requests that the policy permits", async () => {
  await runSeeds(async (random) => {
    const { socket, reader } = await openTunnel(proxy)
    for (const slice of random.below(2) === 0 ? [mutate(random)] : random.slices(mutate(random))) socket.write(slice)
    await reader.rest()
    socket.destroy()
  })
  expect(upstream.requests.length).toBeGreaterThan(50)
  for (const { lines, target } of upstream.requests) {
    const text = lines.join("\n")
    expect(text).toMatch(/^(?:GET|POST) \/ok(?:[/?;]\S*)? HTTP\/1\.1\n/)
    expect(text.match(/^host:.*$/gim)?.map((line) => line.toLowerCase())).toEqual(["host: api.test"])
    expect(text.match(/^(?:content-length|transfer-encoding):/gim)?.length ?? 0).toBeLessThan(2)
    expect(text.match(/^authorization:.*$/gim)).toEqual(["Authorization: Bearer secret-0123456789"])
    expect(target.split("?")[0]).not.toMatch(/\/\.{1,2}(?:[/;]|$)/)
  }
  const { socket, reader } = await openTunnel(proxy)
  socket.write(seeds[0] ?? "")
  expect(statusOf(await reader.message())).toBe(200)
  socket.destroy()
}, 600_000)

test("whatever is sent to its front, nothing is reached and it goes on", async () => {
  const before = upstream.accepted
  const fronts = [
    "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
    "GET http://api.test/ok HTTP/1.1\r\nHost: api.test\r\n\r\n",
  ]
  await runSeeds(async (random) => {
    const { socket, reader } = await dialProxy(proxy)
    const text = random.pick(fronts)
    const at = random.below(text.length)
    const spiced = Buffer.from(text.slice(0, at) + random.pick(spices) + text.slice(at), "latin1")
    socket.write(random.below(4) === 0 ? random.bytes(200) : spiced)
    await reader.rest()
    socket.destroy()
  })
  expect(upstream.accepted).toBe(before)
  expect(proxy.events.filter(({ kind }) => kind === "error")).toEqual([])
}, 600_000)
