import { createServer, type Server } from "node:https"
import type { AddressInfo } from "node:net"
import { LineReader, writeLine } from "../src/lib/lines.ts"

/** What the upstream of `bottle demo` is told, one line on its stdin, when it is a process of its own. */
export interface DemoUpstreamOrder {
  cert: string
  key: string
  port: number
}

/** What it says then: once that it listens, and for each request the `Authorization` that came. */
export type DemoUpstreamSaid = { listens: number } | { authorization: string }

/** The small TLS server that stands for the internet: on loopback, and it answers with what it was sent. */
export async function serveDemo(
  order: DemoUpstreamOrder,
  onRequest: (authorization: string) => void,
): Promise<{ server: Server; port: number }> {
  const { cert, key } = order
  const server = createServer({ cert, key }, (request, response) => {
    const authorization = request.headers.authorization ?? ""
    onRequest(authorization)
    response.end(`hello, you sent: ${authorization}`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(order.port, "127.0.0.1", resolve)
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/** `bottle demo-upstream`: the same beside sidecars whose loopback is not the host's. Ends with its stdin. */
export async function runDemoUpstream(): Promise<void> {
  const say = (line: DemoUpstreamSaid) => writeLine(process.stdout, line)
  const reader = new LineReader()
  process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(1))
  process.stdin.on("data", async (chunk: Buffer) => {
    for (const line of reader.push(chunk)) {
      const { port } = await serveDemo(JSON.parse(line), (authorization) => say({ authorization }))
      say({ listens: port })
    }
  })
}
