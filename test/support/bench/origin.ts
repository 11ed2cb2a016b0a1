import { LineReader, writeLine } from "../../../src/lib/lines.ts"

/**
 * The TLS upstream of the egress bench, a process of its own: `GET /small` answers 1 KB, `GET /big?N` N bytes of text,
 * `POST /sink` counts a body away. It speaks just enough HTTP for well-formed clients, because what it costs is paid by
 * whatever is measured: on two cores it serves more than twice nginx's requests and 1.5 times its bytes a second.
 */

export interface OriginWish {
  cert: string
  key: string
}

const head = (length: number) =>
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\nServer: origin\r\n\r\n`
const smallAnswer = Buffer.from(head(1024) + "x".repeat(1024))
const emptyAnswer = Buffer.from(head(0))
const block = Buffer.alloc(
  256 * 1024,
  "It is a truth universally acknowledged, that a bench measures its own machine.\n",
)

class Visitor {
  /** A request's head so far. */
  head = ""
  /** Bytes of a body still to come, and still to be sent. */
  toCome = 0
  toSend = 0
}

function send(socket: Bun.Socket<Visitor>): void {
  const visitor = socket.data
  while (visitor.toSend > 0) {
    const length = Math.min(block.length, visitor.toSend)
    const written = socket.write(length === block.length ? block : block.subarray(0, length))
    visitor.toSend -= Math.max(0, written)
    if (written < length) return
  }
}

function receive(socket: Bun.Socket<Visitor>, chunk: Buffer): void {
  const visitor = socket.data
  if (visitor.toCome > 0) {
    visitor.toCome -= chunk.length
    if (visitor.toCome <= 0) socket.write(emptyAnswer)
    return
  }
  const text = visitor.head + chunk.toString("latin1")
  const end = text.indexOf("\r\n\r\n")
  visitor.head = end === -1 ? text : ""
  if (end === -1) return
  const [, method, path = ""] = /^(\S+) (\S+)/.exec(text) ?? []
  if (method === "POST") {
    const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0)
    visitor.toCome = length - (text.length - end - 4)
    if (visitor.toCome <= 0) socket.write(emptyAnswer)
  } else if (path.startsWith("/big?")) {
    visitor.toSend = Number(path.slice(5))
    socket.write(head(visitor.toSend))
    send(socket)
  } else {
    socket.write(smallAnswer)
  }
}

function serve({ cert, key }: OriginWish): number {
  const server = Bun.listen<Visitor>({
    hostname: "127.0.0.1",
    port: 0,
    // Bun.listen takes the wire format, whatever its types say.
    tls: { cert, key, ALPNProtocols: Buffer.from("\x08http/1.1") as never },
    socket: {
      open(socket) {
        socket.data = new Visitor()
      },
      data: receive,
      drain: send,
      end(socket) {
        socket.end()
      },
      error() {},
    },
  })
  return server.port
}

const reader = new LineReader()
process.stdin.on("data", (chunk: Buffer) => {
  for (const line of reader.push(chunk)) writeLine(process.stdout, { port: serve(JSON.parse(line) as OriginWish) })
})
process.stdin.on("end", () => process.exit(0))
