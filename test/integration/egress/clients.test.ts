import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import type { FromSidecar, ToSidecar } from "../../../sidecars/control.ts"
import { hashPolicy } from "../../../src/policy/hash.ts"
import { createAuthority } from "../../support/tls/authority.ts"
import { MessageReader } from "../../support/tls/messages.ts"
import { policyOf, routeTo, startProxy, type TestProxy } from "../../support/tls/proxy.ts"
import { respond, startUpstream, type Upstream } from "../../support/tls/upstream.ts"

const authority = createAuthority("upstream")
const place = mkdtempSync(join(tmpdir(), "egress-clients-"))
const big = Buffer.alloc(3_000_000, "big ")
let upstream: Upstream
let proxy: TestProxy

beforeAll(async () => {
  upstream = await startUpstream({
    ...{ authority, host: "api.test" },
    reply(request, stream) {
      if (request.target === "/gzip") return respond(stream, gzipSync("unzipped"), ["Content-Encoding: gzip"])
      if (request.target === "/cut") return stream.end("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort")
      if (request.target === "/big") return respond(stream, big)
      if (request.method === "HEAD") return stream.write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
      return respond(stream, `${request.method} ${request.body.length} ${request.lines[0]?.split(" ")[2]}`)
    },
  })
  proxy = await startProxy(policyOf([routeTo(upstream, authority, { auth: { scheme: "Bearer", token_ref: "T" } })]), {
    secrets: { T: "secret-0123456789" },
  })
  writeFileSync(join(place, "ca.pem"), proxy.ca.cert)
  writeFileSync(join(place, "big"), big)
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
  rmSync(place, { recursive: true })
})

async function curl(...args: string[]): Promise<{ code: number; out: string }> {
  const child = Bun.spawn(
    [
      "curl",
      "-sS",
      "-m",
      "20",
      "--proxy",
      `http://127.0.0.1:${proxy.port}`,
      "--cacert",
      join(place, "ca.pem"),
      ...args,
    ],
    { stdout: "pipe", stderr: "ignore", stdin: Bun.file(join(place, "big")), env: { PATH: process.env.PATH ?? "" } },
  )
  const out = await new Response(child.stdout).text()
  return { code: await child.exited, out }
}

describe("curl", () => {
  const asked: [name: string, args: string[], out: string][] = [
    ["asks", ["https://api.test/x"], "GET 0 HTTP/1.1"],
    ["asks twice on one connection", ["https://api.test/1", "https://api.test/2"], "GET 0 HTTP/1.1GET 0 HTTP/1.1"],
    ["speaks HTTP/1.0", ["-0", "https://api.test/x"], "GET 0 HTTP/1.1"],
    ["falls back from HTTP/2", ["--http2", "https://api.test/x"], "GET 0 HTTP/1.1"],
    ["posts", ["-d", "a=b", "https://api.test/x"], "POST 3 HTTP/1.1"],
    ["uploads in chunks", ["-T", "-", "https://api.test/x"], `PUT ${big.length} HTTP/1.1`],
    ["uploads with a length", ["-T", join(place, "big"), "https://api.test/x"], `PUT ${big.length} HTTP/1.1`],
    ["reads a compressed answer", ["--compressed", "https://api.test/gzip"], "unzipped"],
    ["speaks TLS 1.2", ["--tls-max", "1.2", "https://api.test/x"], "GET 0 HTTP/1.1"],
    [
      "asks for a head",
      ["-o", "/dev/null", "-w", "%{http_code} %header{content-length}", "-I", "https://api.test/x"],
      "200 7",
    ],
  ]
  test.each(asked)("%s", async (_, args, out) => {
    expect(await curl(...args)).toEqual({ code: 0, out })
  })

  test("gets a large answer whole", async () => {
    expect((await curl("https://api.test/big")).out.length).toBe(big.length)
  })

  test("sees an answer cut short as such", async () => {
    expect((await curl("https://api.test/cut")).code).toBe(18)
  })

  test("sees a refused host as such", async () => {
    const { code, out } = await curl("-w", "%{http_connect} %{http_code}", "-d", "x", "https://evil.test/a/b?c=d")
    expect([code, out.slice(-7)]).toEqual([0, "200 403"])
    // What curl shows of it is what the agent needs next.
    const asked = JSON.stringify({
      ...{ host: "evil.test", path_allowlist: ["/a/b"], methods: ["POST"] },
      justification: "why",
    })
    expect(JSON.parse(out.slice(0, -7)).error.remedy).toContain(`egress-block ${asked}`)
  })
})

test("its socket is open to the agent's user", async () => {
  const socket = join(place, "egress.sock")
  const other = await startProxy(policyOf([]), { socket })
  expect(statSync(socket).mode & 0o777).toBe(0o666)
  const wire = connect(socket)
  wire.write("GET /health HTTP/1.1\r\nHost: _egress.local\r\n\r\n")
  expect((await new MessageReader(wire).message()).body.toString()).toBe("ok\n")
  wire.destroy()
  await other.close()
})

describe("as a process", () => {
  const policy = policyOf([])
  const { cert, key } = createAuthority()

  function startChild() {
    const module = join(import.meta.dir, "../../../sidecars/egress/child.ts")
    const child = Bun.spawn(
      [process.execPath, "-e", `import(${JSON.stringify(module)}).then((m) => m.runEgressChild())`],
      {
        ...({ stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const),
        env: { PATH: process.env.PATH ?? "" },
      },
    )
    const lines = (async function* () {
      let text = ""
      for await (const chunk of child.stdout) {
        text += Buffer.from(chunk).toString()
        for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
          yield JSON.parse(text.slice(0, end)) as FromSidecar
          text = text.slice(end + 1)
        }
      }
    })()
    const send = (message: ToSidecar) => {
      child.stdin.write(`${JSON.stringify(message)}\n`)
      child.stdin.flush()
    }
    return { child, send, answer: async () => (await lines.next()).value }
  }

  test("obeys its lines, acknowledges by hash, and ends with its stdin", async () => {
    const { child, send, answer } = startChild()
    const socket = join(place, "child.sock")
    send({ type: "policy", seq: 1, policy })
    expect(await answer()).toMatchObject({ type: "nack", seq: 1 })
    send({ type: "configure", seq: 2, slug: "x", socket, policy, secrets: { T: "value" }, ca: { cert, key } })
    expect(await answer()).toEqual({ type: "ack", seq: 2, hash: hashPolicy(policy) })
    const next = policyOf([], { allowlist: ["a.test"] })
    send({ type: "policy", seq: 3, policy: next })
    expect(await answer()).toEqual({ type: "ack", seq: 3, hash: hashPolicy(next) })
    send({ type: "policy", seq: 4, policy: policyOf([], { allowlist: ["no host"] }) })
    expect(await answer()).toMatchObject({ type: "nack", seq: 4 })
    send({ type: "secrets", seq: 5, secrets: { T: "other" } })
    expect(await answer()).toEqual({ type: "ack", seq: 5, hash: hashPolicy(next) })
    const wire = connect(socket)
    wire.write("CONNECT evil.test:22 HTTP/1.1\r\nHost: evil.test:22\r\n\r\n")
    expect(await answer()).toMatchObject({ type: "event", event: { kind: "refused", host: "evil.test" } })
    wire.destroy()
    child.stdin.end()
    expect(await child.exited).toBe(0)
    expect(await new Response(child.stderr).text()).toBe("")
  })
})
