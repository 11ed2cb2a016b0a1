import { createServer } from "node:net"
import { parseArgs } from "node:util"

/** A control socket that greets, and an "egress" that knows its health name, echoes, and refuses the rest. */
export function runFakeSidecar(argv: string[]): void {
  const { values } = parseArgs({
    args: argv,
    options: {
      ...{ control: { type: "string" }, sockets: { type: "string" }, isolate: { type: "string" } },
      ...{ config: { type: "string" }, filter: { type: "string" }, start: { type: "string", multiple: true } },
    },
  })
  Bun.listen({
    unix: values.control ?? "",
    socket: { open: (socket) => void socket.write("hello\n"), data() {} },
  })
  const egress = createServer((socket) => {
    let head = ""
    socket.on("error", () => {})
    const read = (bytes: Buffer) => {
      head += bytes.toString("latin1")
      if (head.startsWith("ECHO\n")) {
        socket.off("data", read)
        socket.write(Buffer.from(head.slice(5), "latin1"))
        socket.pipe(socket)
      } else if (head.includes("\r\n\r\n")) {
        const isHealth = head.startsWith("GET http://_egress.local/health ")
        socket.end(`HTTP/1.1 ${isHealth ? "200 OK" : "403 Forbidden"}\r\ncontent-length: 0\r\n\r\n`)
      }
    }
    socket.on("data", read)
  })
  egress.listen(`${values.sockets}/egress.sock`)
}
