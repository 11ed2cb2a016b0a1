import { createServer, request } from "node:http"
import { connect } from "node:net"

export interface ForwardProxy {
  port: number
  close(): void
}

/** The way out that an engine without routes of its own is given: a plain proxy for http and CONNECT at one address. */
export async function startForwardProxy(hostname: string): Promise<ForwardProxy> {
  const server = createServer((asked, answer) => {
    const { method, headers, url = "" } = asked
    const onward = request(url, { method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(answer)
    })
    onward.on("error", () => answer.writeHead(502).end())
    asked.pipe(onward)
  })
  server.on("connect", ({ url = "" }, client, head) => {
    const to = new URL(`tcp://${url}`)
    const onward = connect(Number(to.port), to.hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n")
      onward.write(head)
      onward.pipe(client)
      client.pipe(onward)
    })
    onward.on("error", () => client.destroy())
    client.on("error", () => onward.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve))
  return {
    port: (server.address() as { port: number }).port,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
