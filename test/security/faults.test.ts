import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createServer, type Server, type Socket } from "node:net"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { type Engine, enforce, type Opening, sweep } from "../../sidecars/egress/engine.ts"
import { serveConnection } from "../../sidecars/egress/front/connection.ts"
import { prepareRules } from "../../sidecars/egress/rules.ts"
import type { CompiledPolicy } from "../../src/policy/compile.ts"
import { decide, decideConnect } from "../../src/policy/decide.ts"
import type { EgressPolicy } from "../../src/policy/types.ts"
import { api, type Exchange, exchanges, inside, perform } from "../support/fuzz/exchanges.ts"
import { type FaultKind, type FaultPlace, Faults, faultsAt } from "../support/fuzz/faults.ts"
import { makeFaultyEngine } from "../support/fuzz/faulty-engine.ts"
import { createAuthority } from "../support/tls/authority.ts"
import { policyOf, routeTo, type TestProxy } from "../support/tls/proxy.ts"
import { respond, startUpstream, type Upstream, type UpstreamRequest } from "../support/tls/upstream.ts"

/**
 * SECURITY 25, invariant 5: whatever fails while deciding, resolving, scanning, unpacking or making a certificate, the
 * outcome is a refusal. Every call of every part is made to fail once, in each way, and the exchange is run again.
 */

const secret = "sk-live-0123456789abcdefghij"
const encodings = [secret, Buffer.from(secret).toString("base64").slice(0, 20), Buffer.from(secret).toString("hex")]
const upstreamCa = createAuthority("upstream")
const bottleCa = createAuthority("bottle")
const faults = new Faults()
/** Longest wait for an exchange in which nothing fails, in ms: it is answered, however slow the machine is. */
const sound = 60_000

let upstream: Upstream
let plain: Upstream
let policy: EgressPolicy
let engine: Engine
let proxy: TestProxy
let server: Server
const unplanned: unknown[] = []

beforeAll(async () => {
  const reply = (request: UpstreamRequest, stream: Parameters<typeof respond>[0]) => {
    const echo = `${request.lines.join("\n")}\n${request.body}`
    if (request.target.endsWith("gzip")) return respond(stream, gzipSync(echo), ["Content-Encoding: gzip"])
    return respond(stream, echo)
  }
  upstream = await startUpstream({ authority: upstreamCa, host: "api.test", reply })
  plain = await startUpstream({ reply })
  policy = policyOf(
    [
      routeTo(upstream, upstreamCa, {
        matches: [
          { methods: ["GET"], paths: [{ type: "exact", value: "/other" }] },
          {
            methods: ["GET", "POST"],
            paths: [
              { type: "prefix", value: "/ok" },
              { type: "regex", value: "/r[0-9]+" },
            ],
          },
        ],
        auth: { scheme: "Bearer", token_ref: "TOKEN" },
        connect_to: `upstream.test:${upstream.port}`,
      }),
      routeTo(plain, upstreamCa, {
        host: "*.plain.test",
        scheme: "http",
        port: 80,
        connect_to: `127.0.0.1:${plain.port}`,
      }),
    ],
    { log: 2, allowlist: ["listed.test", "*.wide.test"] },
  )
  engine = makeFaultyEngine(faults, { policy, secret, upstreamCa, bottleCa })
  const sockets = new Set<Socket>()
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    // As the sidecar does it.
    serveConnection(engine, socket).catch((error: unknown) => {
      engine.log.error("serving a connection", error)
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  proxy = { egress: undefined as never, port, events: [], ca: bottleCa, close }
  process.on("unhandledRejection", (error) => unplanned.push(error))
  process.on("uncaughtException", (error) => unplanned.push(error))
})
afterAll(async () => {
  await proxy.close()
  engine.pool.flush()
  // Not waited for: a handshake that a fault broke off may stand open until its time is over.
  void upstream.close()
  void plain.close()
})

function takeRequests(): UpstreamRequest[] {
  return [...upstream.requests.splice(0), ...plain.requests.splice(0)]
}

test("one failing call anywhere is a refusal, never a request more or a secret told", async () => {
  let tried = 0
  const points = new Set<string>()
  const outcomes = { refused: 0, closed: 0, unchanged: 0 }
  for (const exchange of exchanges) {
    engine.pool.flush()
    faults.arm()
    const usual = await perform(proxy, exchange, sound)
    expect({ name: exchange.name, ok: / 200 /.test(usual) }).toEqual({
      name: exchange.name,
      ok: exchange.permitted !== undefined,
    })
    takeRequests()
    for (const [place, kind] of faultsAt([...faults.places])) {
      engine.pool.flush()
      faults.arm(place, kind)
      const got = await perform(proxy, exchange)
      const requests = takeRequests()
      if (!faults.fired) continue
      faults.arm()
      tried++
      points.add(place.point)
      outcomes[check(exchange, place, kind, { usual, got, requests })]++
    }
  }
  console.log(
    `faults in deciding: ${tried} tried at ${points.size} points (${[...points].sort().join(", ")}): ` +
      `${outcomes.refused} refused, ${outcomes.closed} closed, ${outcomes.unchanged} without effect`,
  )
  expect(unplanned).toEqual([])
  expect(tried).toBeGreaterThan(500)
  expect(points.size).toBeGreaterThan(20)
  // The proxy is none the worse for it.
  faults.arm()
  for (const exchange of exchanges) {
    // A kept connection may end under a request that may not be sent twice.
    engine.pool.flush()
    expect(/ 200 /.test(await perform(proxy, exchange, sound))).toBe(exchange.permitted !== undefined)
  }
}, 300_000)

function check(
  exchange: Exchange,
  place: FaultPlace,
  kind: FaultKind,
  { usual, got, requests }: { usual: string; got: string; requests: UpstreamRequest[] },
): "refused" | "closed" | "unchanged" {
  const where = `${kind} at call ${place.nth} of ${place.point} during ${exchange.name}`
  for (const told of encodings) if (got.includes(told)) throw new Error(`${where}: the secret came back`)
  for (const request of requests) {
    const allowed = exchange.permitted
    if (allowed === undefined) throw new Error(`${where}: an upstream got ${request.lines[0]}`)
    expect({ where, line: request.lines[0], body: request.body.toString() }).toEqual({ where, ...allowed })
  }
  if (requests.length > 1) throw new Error(`${where}: sent ${requests.length} times`)
  if (got === "") return "closed"
  if (/^HTTP\/1\.1 [45]\d\d /.test(got)) return "refused"
  // A fault in telling or timing changes nothing about the decision.
  if (got !== usual) throw new Error(`${where}: a changed answer: ${JSON.stringify(got.slice(0, 300))}`)
  if (!/^(clock|log|pool|scanner|secrets\.scanner)/.test(place.point))
    throw new Error(`${where}: permitted all the same`)
  return "unchanged"
}

describe("deciding by itself", () => {
  const facts = {
    scheme: "https",
    host: "api.test",
    port: 443,
    method: "GET",
    path: "/ok",
    query: "",
    headers: [],
  } as const

  test("every part of a policy may throw whatever it likes: the verdict is a denial", () => {
    let tried = 0
    for (const poison of [new Error("x"), undefined, new RangeError("Out of memory"), "text"]) {
      const bad = () => {
        throw poison
      }
      const trap = new Proxy({}, { get: bad, has: bad, ownKeys: bad })
      const { compiled } = prepareRules(policy)
      const compiledKeys = Object.keys(compiled) as (keyof CompiledPolicy)[]
      for (const key of compiledKeys.filter((name) => name !== "supervise" && name !== "problems")) {
        for (const value of [trap, undefined, null, 1]) {
          const broken = { ...compiled, [key]: value } as CompiledPolicy
          const whole = key === "exact" ? facts : { ...facts, host: "unknown.test" }
          expect(decide(whole, broken).kind).toBe("deny")
          expect(decideConnect(whole.host, 443, broken).kind).toBe("deny")
          tried++
        }
      }
      for (const key of Object.keys(facts)) {
        const broken = new Proxy(
          { ...facts },
          { get: (from, name) => (name === key ? bad() : Reflect.get(from, name)) },
        )
        if (key !== "query") expect(decide(broken as typeof facts, compiled).kind).toBe("deny")
        tried++
      }
    }
    console.log(`faults in the policy itself: ${tried} tried`)
  })
})

describe("a policy that cannot be enforced", () => {
  test("changes nothing, and what is open is cut when asking about it fails", () => {
    const before = engine.rules
    expect(() => prepareRules(policyOf([{ ...policy.routes[0]!, host: "a b" }]))).toThrow()
    expect(engine.rules).toBe(before)
    let cut = 0
    const opening: Opening = {
      ...{ kind: "tunnel", host: "api.test", port: 443 },
      permittedBy: () => {
        throw new RangeError("Out of memory")
      },
      cut: () => void cut++,
    }
    faults.arm()
    engine.openings.add(opening)
    enforce(engine, before)
    expect(cut).toBe(1)
  })

  test("a clock that fails does not keep the sweep from being made again", () => {
    faults.arm({ point: "clock.now", nth: 1, waits: false }, "error")
    engine.clients.clear()
    try {
      sweep(engine)
    } catch (error) {
      expect(String(error)).toContain("injected")
    }
    faults.arm()
    expect(() => sweep(engine)).not.toThrow()
  })
})

describe("an answer that cannot be unpacked", () => {
  const text = `${"x".repeat(3000)}${secret}${"y".repeat(3000)}`
  test.each([
    ["gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["br", brotliCompressSync(text)],
  ] as const)(
    "%s, broken at each place, never tells the secret",
    async (coding, packed) => {
      let body: Buffer = packed
      const broken = await startUpstream({
        authority: upstreamCa,
        host: "api.test",
        reply: (_, stream) => respond(stream, body, [`Content-Encoding: ${coding}`]),
      })
      const before = engine.rules
      faults.arm()
      const route = routeTo(broken, upstreamCa, { auth: { scheme: "Bearer", token_ref: "TOKEN" } })
      enforce(engine, prepareRules(policyOf([route])))
      try {
        const exchange = { name: coding, tunnel: api, bytes: `GET /ok HTTP/1.1\r\n${inside}\r\n` }
        expect(await perform(proxy, exchange, sound)).toContain("*".repeat(secret.length))
        let tried = 0
        for (let at = 0; at < packed.length; at += 1 + Math.floor(packed.length / 40)) {
          for (const made of [
            flip(packed, at),
            packed.subarray(0, at),
            Buffer.concat([packed.subarray(0, at), Buffer.alloc(64)]),
          ]) {
            body = made
            const got = await perform(proxy, exchange)
            expect(got).not.toContain(secret)
            tried++
          }
        }
        console.log(`faults in unpacking ${coding}: ${tried} tried`)
      } finally {
        enforce(engine, before)
        await broken.close()
      }
    },
    300_000,
  )
})

function flip(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes)
  out[at] = (out[at] ?? 0) ^ 0xff
  return out
}
