import type { InsideProbe } from "./probes.ts"
import { fenceProofHost } from "./protocol.ts"

/** Only an answer that comes proves anything, so waiting longer weakens nothing; a machine under load takes seconds. */
const deadlineMilliseconds = 30_000

/** What only the egress sidecar can answer: its own health name, and the refusal of a host that no policy lists. */
export async function proxyProbes(proxy: string): Promise<InsideProbe[]> {
  return Promise.all([
    probe(
      "proxy-health",
      proxy,
      "GET http://_egress.local/health HTTP/1.1\r\nHost: _egress.local",
      (status) => status === 200,
    ),
    probe(
      "proxy-unlisted",
      proxy,
      `CONNECT ${fenceProofHost}:443 HTTP/1.1\r\nHost: ${fenceProofHost}:443`,
      (status) => status === 403,
    ),
  ])
}

async function probe(
  name: string,
  proxy: string,
  head: string,
  wanted: (status: number) => boolean,
): Promise<InsideProbe> {
  try {
    const status = await statusOf(new URL(proxy), `${head}\r\nConnection: close\r\n\r\n`)
    return { name, ok: wanted(status), detail: `answered ${status}` }
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}

/** Send one request head and read the status of the answer. */
function statusOf(proxy: URL, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let head = ""
    const timer = setTimeout(() => reject(new Error("no answer in time")), deadlineMilliseconds)
    const fail = (why: string) => {
      clearTimeout(timer)
      reject(new Error(why))
    }
    Bun.connect({
      hostname: proxy.hostname,
      port: Number(proxy.port),
      socket: {
        open: (socket) => void socket.write(request),
        data(socket, bytes) {
          head += bytes.toString("latin1")
          const status = head.match(/^HTTP\/1\.[01] (\d{3})[ \r]/)?.[1]
          if (status === undefined && head.length < 1024) return
          clearTimeout(timer)
          // Ending the socket calls `close` at once, so the answer is given first.
          if (status === undefined) reject(new Error("not an HTTP answer"))
          else resolve(Number(status))
          socket.end()
        },
        close: () => fail("closed without an answer"),
        error: (_socket, error) => fail(error.message),
      },
    }).catch((error) => fail(error instanceof Error ? error.message : String(error)))
  })
}
