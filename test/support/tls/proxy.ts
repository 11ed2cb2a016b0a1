import { connect, isIP, type Socket } from "node:net"
import { connect as connectTls, type TLSSocket } from "node:tls"
import type { SidecarEvent } from "../../../sidecars/control.ts"
import { type Egress, type EgressOptions, startEgress } from "../../../sidecars/egress/main.ts"
import type { EgressPolicy, Route } from "../../../src/policy/types.ts"
import { type Authority, createAuthority } from "./authority.ts"
import { MessageReader } from "./messages.ts"

export interface TestProxy {
  egress: Egress
  port: number
  events: SidecarEvent[]
  /** The bottle's authority: what clients trust. */
  ca: Authority
  close(): Promise<void>
}

/** A policy with the given routes and else nothing. */
export function policyOf(routes: readonly Route[], more: Partial<EgressPolicy> = {}): EgressPolicy {
  return { routes, allowlist: [], log: 1, supervise: true, ...more }
}

/** A whole-host https route that dials a test's upstream on loopback and trusts its authority. */
export function routeTo(upstream: { port: number }, authority: Authority, more: Partial<Route> = {}): Route {
  return {
    ...{ host: "api.test", scheme: "https", port: 443, allow_private: true, ca: authority.cert },
    connect_to: `127.0.0.1:${upstream.port}`,
    ...more,
  }
}

/** The egress proxy of a test, on a port of loopback. */
export async function startProxy(policy: EgressPolicy, more: Partial<EgressOptions> = {}): Promise<TestProxy> {
  const ca = createAuthority("bottle-under-test")
  const events: SidecarEvent[] = []
  const egress = await startEgress({
    ...{ listen: { host: "127.0.0.1", port: 0 }, policy, secrets: {}, ca: { cert: ca.cert, key: ca.key } },
    emit: (event) => events.push(event),
    resolve: () => Promise.reject(new Error("this test resolves nothing")),
    ...more,
  })
  return { egress, port: egress.port ?? 0, events, ca, close: () => egress.close() }
}

export interface Wire<S extends Socket = Socket> {
  socket: S
  reader: MessageReader
}

/** A plain connection to the proxy. */
export async function dialProxy(proxy: TestProxy): Promise<Wire> {
  const socket = connect(proxy.port, "127.0.0.1")
  socket.on("error", () => {})
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()))
  return { socket, reader: new MessageReader(socket) }
}

/** CONNECT and a TLS handshake through it; the test's requests then go inside. */
export async function openTunnel(
  proxy: TestProxy,
  options: { host?: string; port?: number; servername?: string } = {},
): Promise<Wire<TLSSocket>> {
  const { host = "api.test", port = 443 } = options
  const socket = connect(proxy.port, "127.0.0.1")
  socket.on("error", () => {})
  socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`)
  const answer = await new Promise<string>((resolve, reject) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1")))
    socket.once("close", () => reject(new Error("closed")))
  })
  if (!answer.startsWith("HTTP/1.1 200")) throw new Error(answer)
  // A client that asks for another name does not mind the certificate's.
  const rejectUnauthorized = options.servername === undefined
  const servername = options.servername ?? (isIP(host) === 0 ? host : "")
  const secure = connectTls({ socket, host, servername, ca: proxy.ca.cert, rejectUnauthorized })
  await new Promise<void>((resolve, reject) => {
    secure.once("secureConnect", () => resolve())
    secure.once("error", reject)
    secure.once("close", () => reject(new Error("closed in the handshake")))
  })
  secure.on("error", () => {})
  return { socket: secure, reader: new MessageReader(secure) }
}

/** Wait for a condition, at most `limit` ms. */
export async function eventually(condition: () => boolean, limit = 120_000): Promise<void> {
  const end = performance.now() + limit
  while (!condition()) {
    if (performance.now() > end) throw new Error("it did not come about in time")
    await new Promise((resolve) => setImmediate(resolve))
  }
}
