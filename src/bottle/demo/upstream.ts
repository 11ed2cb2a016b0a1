import type { Duplex } from "node:stream"
import type { DemoUpstreamOrder, DemoUpstreamSaid } from "../../../sidecars/demo-upstream.ts"
import { issueLeaf, mintCa } from "../../../sidecars/egress/certificates.ts"
import { LineReader, writeLine } from "../../lib/lines.ts"

/** The small TLS server that stands for the internet in `bottle demo`, with a CA of its own. */
export interface DemoUpstream {
  port: number
  /** PEM. */
  ca: string
  /** `Authorization` of each request it got. */
  seen: string[]
  close(): void
}

/** Start it for one host name on this machine's loopback. */
export async function startDemoUpstream(host: string): Promise<DemoUpstream> {
  const { serveDemo } = await import("../../../sidecars/demo-upstream.ts")
  const { ca, order } = prepare(host, 0)
  const seen: string[] = []
  const { server, port } = await serveDemo(order, (authorization) => void seen.push(authorization))
  return {
    port,
    ca,
    seen,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Nothing else listens on the loopback of sidecars that have one of their own. */
const lonelyPort = 9443

/**
 * The same for sidecars whose loopback is not this machine's: known now, started there by `begin` once they run.
 * `begin` resolves when it listens.
 */
export function prepareDemoUpstream(host: string): DemoUpstream & { begin(stream: Duplex): Promise<void> } {
  const { ca, order } = prepare(host, lonelyPort)
  const seen: string[] = []
  let running: Duplex | undefined
  return {
    port: lonelyPort,
    ca,
    seen,
    begin(stream) {
      running = stream
      writeLine(stream, order)
      return new Promise((resolve, reject) => {
        const reader = new LineReader()
        stream.on("data", (chunk: Buffer) => {
          for (const line of reader.push(chunk)) {
            const said = JSON.parse(line) as DemoUpstreamSaid
            if ("listens" in said) resolve()
            else seen.push(said.authorization)
          }
        })
        stream.on("error", reject)
        stream.on("close", () => reject(new Error("the demo's upstream ended")))
      })
    },
    close: () => running?.destroy(),
  }
}

function prepare(host: string, port: number): { ca: string; order: DemoUpstreamOrder } {
  const ca = mintCa("bottle demo upstream")
  const leaf = issueLeaf(ca, host)
  return { ca: ca.cert, order: { cert: leaf.cert, key: leaf.key, port } }
}
