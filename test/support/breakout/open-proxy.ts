import { connect, createServer } from "node:net"

/**
 * `bun open-proxy.ts PORT`: a proxy that lets everything through: CONNECT to any host and port, absolute-form to any host.
 * It stands where egress would, so that an attack through the proxy can be shown to arrive without a fence.
 */

createServer((client) => {
  client.on("error", () => client.destroy())
  client.once("data", (first: Buffer) => {
    client.pause()
    const text = first.toString("latin1")
    const tunnel = /^CONNECT +(\[[^\]]*\]|[^\s:]*):(\d+)/i.exec(text)
    const absolute = /^\S+ +https?:\/\/(?:[^@/\s]*@)?(\[[^\]]*\]|[^\s:/]*)(?::(\d+))?/i.exec(text)
    const hostField = /^host: *(\[[^\]]*\]|[^\s:]*)(?::(\d+))?/im.exec(text)
    const [, host = "", port] = tunnel ?? absolute ?? hostField ?? []
    const clean = (host.split("\0").at(-1) ?? "").replace(/^\[|\]$/g, "")
    const upstream = connect({ host: clean, port: Number(port ?? 80) }, () => {
      if (tunnel !== null) {
        client.write("HTTP/1.1 200 OK\r\n\r\n")
        const rest = first.subarray(first.indexOf("\r\n\r\n") + 4)
        if (rest.length > 0) upstream.write(rest)
      } else {
        upstream.write(Buffer.from(text.replace(/^(\S+ +)https?:\/\/[^/\s]*/i, "$1"), "latin1"))
      }
      client.pipe(upstream)
      upstream.pipe(client)
      client.resume()
    })
    upstream.on("error", () => client.destroy())
    upstream.on("close", () => client.destroy())
    client.on("close", () => upstream.destroy())
  })
}).listen({ port: Number(process.argv[2]), host: "127.0.0.1" }, () => console.log("ready"))
