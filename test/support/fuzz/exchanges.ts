import { dialProxy, openTunnel, type TestProxy } from "../tls/proxy.ts"

/** One request of a client, and what may become of it. */
export interface Exchange {
  name: string
  /** Sent inside a tunnel to this host, or to the proxy itself. */
  tunnel?: { host: string; port: number }
  bytes: string
  /** What an upstream may get: first line and body. Absent: nothing at all. */
  permitted?: { line: string; body: string }
}

export const inside = "Host: api.test\r\n"
export const api = { host: "api.test", port: 443 }
export const exchanges: readonly Exchange[] = [
  {
    name: "a permitted request with a credential",
    tunnel: api,
    bytes: `GET /ok?q=1 HTTP/1.1\r\n${inside}Authorization: Bearer mine\r\n\r\n`,
    permitted: { line: "GET /ok?q=1 HTTP/1.1", body: "" },
  },
  {
    name: "a permitted request with a packed answer",
    tunnel: api,
    bytes: `GET /ok/gzip HTTP/1.1\r\n${inside}Accept-Encoding: gzip\r\n\r\n`,
    permitted: { line: "GET /ok/gzip HTTP/1.1", body: "" },
  },
  {
    name: "a permitted body in chunks",
    tunnel: api,
    bytes: `POST /r12 HTTP/1.1\r\n${inside}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    permitted: { line: "POST /r12 HTTP/1.1", body: "hello" },
  },
  { name: "a refused path", tunnel: api, bytes: `GET /no HTTP/1.1\r\n${inside}\r\n` },
  { name: "a refused method", tunnel: api, bytes: `POST /other HTTP/1.1\r\n${inside}Content-Length: 2\r\n\r\nhi` },
  {
    name: "a refused tunnel",
    tunnel: { host: "evil.test", port: 443 },
    bytes: "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n",
  },
  {
    name: "a listed host at an address of this machine",
    tunnel: { host: "listed.test", port: 443 },
    bytes: "GET / HTTP/1.1\r\nHost: listed.test\r\n\r\n",
  },
  { name: "a refused host of a wildcard", bytes: "GET http://x.narrow.test/ HTTP/1.1\r\nHost: x.narrow.test\r\n\r\n" },
  {
    name: "a refused plain request to an https host",
    bytes: "GET http://api.test/ok HTTP/1.1\r\nHost: api.test\r\n\r\n",
  },
  {
    name: "a permitted plain request",
    bytes: "GET http://a.plain.test/x HTTP/1.1\r\nHost: a.plain.test\r\n\r\n",
    permitted: { line: "GET /x HTTP/1.1", body: "" },
  },
  {
    name: "an upgrade",
    tunnel: api,
    bytes: `GET /ok HTTP/1.1\r\n${inside}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
  },
]

/** What the client gets within `patience` ms: a whole answer, or nothing. */
export async function perform(proxy: TestProxy, exchange: Exchange, patience = 1500): Promise<string> {
  try {
    const wire = exchange.tunnel === undefined ? await dialProxy(proxy) : await openTunnel(proxy, exchange.tunnel)
    wire.socket.write(exchange.bytes)
    const given = setTimeout(() => wire.socket.destroy(), patience)
    try {
      const message = await wire.reader.message()
      return `${message.lines.join("\n")}\n\n${message.body.toString("latin1")}`
    } catch {
      return ""
    } finally {
      clearTimeout(given)
      wire.socket.destroy()
    }
  } catch (error) {
    // The CONNECT itself was refused, or the handshake broken off.
    return error instanceof Error && error.message.startsWith("HTTP/") ? error.message : ""
  }
}
