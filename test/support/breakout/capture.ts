import { createSocket } from "node:dgram"
import { appendFileSync, readFileSync } from "node:fs"
import { connect, createServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { answerDns } from "./dns.ts"
import { serve } from "./upstream.ts"

/**
 * `bun capture.ts SIDE LOG CERT KEY`: the capture side in one network namespace. Takes TCP and UDP on many ports of every
 * address, speaks TLS where it is spoken to, answers DNS, HTTP and WebSocket, and appends one JSON line for
 * whatever it got. `ready` is written when all ports are open.
 */

const [side = "", log = "", certFile = "", keyFile = ""] = process.argv.slice(2)

/** Ports that attacks are known to aim at, and a range for the others. The sniffer sees what goes elsewhere. */
const tcpPorts = [
  ...[21, 22, 23, 25, 53, 80, 110, 143, 389, 443, 445, 465, 587, 853, 873, 993, 1080, 1433, 2049, 2375, 2376, 3128],
  ...[3306, 4444, 5000, 5432, 5985, 6379, 6443, 8000, 8080, 8443, 8888, 9000, 9200, 9418, 10250, 11211, 27017],
  ...Array.from({ length: 32 }, (_, index) => 31_000 + index),
]
const udpPorts = [53, 67, 69, 123, 137, 161, 443, 500, 514, 853, 1194, 1900, 4500, 5353, 31_000, 33_434, 51_820]

/** What an attack sends to a decoy of the host that has no address: a Unix socket's abstract name. */
export const abstractName = "bottle-breakout-host"

interface Meta {
  to: string
  port: number
  /** Server name of the handshake, when there was one. */
  sni?: string | undefined
  proto: "tcp" | "tls" | "unix"
}

function write(event: object): void {
  appendFileSync(log, `${JSON.stringify({ side, ...event })}\n`)
}

/** Connections on their way through the TLS server, by the port they come from. */
const inTransit = new Map<number, Meta>()
const tls = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
  const meta = inTransit.get(socket.remotePort ?? 0)
  if (meta === undefined) return void socket.destroy()
  meta.proto = "tls"
  talk(socket, meta)
})
tls.on("tlsClientError", () => undefined)

/** One connection: log what comes, answer as the upstream does. */
function talk(socket: Socket, meta: Meta): void {
  const note = (kind: string, fields: object) => write({ kind, ...meta, ...fields })
  socket.on("error", () => socket.destroy())
  socket.on("data", (chunk: Buffer) => note("data", { data: chunk.subarray(0, 300_000).toString("base64") }))
  serve(socket, (head, body) => note("request", { head, body: body.toString("base64") }))
}

function accept(socket: Socket): void {
  const meta: Meta = { to: bare(socket.localAddress), port: socket.localPort ?? 0, proto: "tcp" }
  write({ kind: "connection", ...meta })
  socket.on("error", () => socket.destroy())
  socket.once("data", (first: Buffer) => {
    if (first[0] === 0x16) return throughTls(socket, first, meta)
    talk(socket, meta)
    socket.emit("data", first)
  })
}

function throughTls(socket: Socket, first: Buffer, meta: Meta): void {
  write({ kind: "data", ...meta, data: first.toString("base64") })
  socket.pause()
  const inner = connect((tls.address() as { port: number }).port, "127.0.0.1", () => {
    inTransit.set(inner.localPort ?? 0, meta)
    inner.write(first)
    socket.pipe(inner)
    inner.pipe(socket)
    socket.resume()
  })
  for (const [one, other] of [
    [socket, inner],
    [inner, socket],
  ] as const) {
    one.on("error", () => other.destroy())
    one.on("close", () => other.destroy())
  }
}

function listenTcp(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(accept)
    server.once("error", reject)
    server.listen({ port, host: "::" }, () => resolve(server))
  })
}

function listenUdp(port: number, type: "udp4" | "udp6"): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6" })
    socket.once("error", reject)
    socket.on("message", (message, from) => {
      const reply = port === 53 ? answerDns(message) : undefined
      write({ kind: "datagram", proto: "udp", port, data: message.toString("base64"), name: reply?.name })
      if (reply !== undefined) socket.send(reply.bytes, from.port, from.address)
    })
    socket.bind(port, () => {
      // An answer that nobody waited for comes back as an error.
      socket.off("error", reject).on("error", () => undefined)
      resolve()
    })
  })
}

const bare = (address: string | undefined): string => (address ?? "").replace(/^::ffff:/, "")

await new Promise<void>((resolve) => tls.listen(0, "127.0.0.1", resolve))
await Promise.all(tcpPorts.map(listenTcp))
await Promise.all(udpPorts.flatMap((port) => [listenUdp(port, "udp4"), listenUdp(port, "udp6")]))
write({ kind: "ready" })
