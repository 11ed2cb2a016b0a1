import { connect, createServer, type Socket } from "node:net"

/** A bare CONNECT proxy that leads every name to one loopback port, and says which names were asked for. */
export interface ConnectProxy {
  port: number
  /** `host:port` of each CONNECT, in order. */
  asked: string[]
  close(): void
}

export async function startConnectProxy(upstreamPort: number): Promise<ConnectProxy> {
  const asked: string[] = []
  const open = new Set<Socket>()
  const track = (socket: Socket) => {
    open.add(socket)
    socket.on("close", () => open.delete(socket))
    socket.on("error", () => socket.destroy())
  }
  const server = createServer((client) => {
    track(client)
    client.once("data", (head) => {
      const target = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head.toString("latin1"))?.[1]
      asked.push(target ?? head.toString("latin1").split("\r\n", 1)[0] ?? "")
      if (target === undefined) return client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
      const upstream = connect(upstreamPort, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n")
        client.pipe(upstream).pipe(client)
      })
      track(upstream)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    asked,
    close: () => {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
