import { readFileSync } from "node:fs"
import { constants as os } from "node:os"
import { socketAddress } from "./addresses.ts"
import { openLibc } from "./libc.ts"

/** What the scripted agent of `bottle demo` saw, one JSON line each on stdout. It only reports; the demo judges. */
export type DemoSighting =
  | { step: "token"; holds: string }
  | { step: "allowed"; status: number; body: string }
  | { step: "refused"; url: string; status: number; body: string }
  | { step: "direct"; address: string; error: string; milliseconds: number }

export interface DemoWishes {
  allowed: string
  refused: string
  direct: { host: string; port: number }
}

/**
 * The scripted agent: does with ordinary calls what a coding agent would do, good and bad. Its wishes come as one
 * JSON argument.
 */
export async function runDemoAgent(argv: readonly string[]): Promise<void> {
  const wishes = JSON.parse(argv[0] ?? "{}") as DemoWishes
  const token = process.env.DEMO_TOKEN ?? ""
  say({ step: "token", holds: token })
  const allowed = await request(wishes.allowed, token)
  say({ step: "allowed", ...allowed })
  say({ step: "refused", url: wishes.refused, ...(await request(wishes.refused, token)) })
  say(connectDirectly(wishes.direct))
}

function say(sighting: DemoSighting): void {
  console.log(JSON.stringify(sighting))
}

async function request(url: string, token: string): Promise<{ status: number; body: string }> {
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      proxy: process.env.HTTPS_PROXY ?? "",
      tls: { ca: readFileSync(process.env.SSL_CERT_FILE ?? "", "utf8") },
    })
    return { status: answer.status, body: await answer.text() }
  } catch (error) {
    return { status: 0, body: error instanceof Error ? error.message : String(error) }
  }
}

/** SOCK_NONBLOCK: a packet that leaves is seen as EINPROGRESS, without waiting for an answer. */
const nonblocking = 0o4000

/** By the C library's own call, which tells why it failed; the runtime's sockets blur it. */
function connectDirectly(to: { host: string; port: number }): DemoSighting {
  const startedAt = performance.now()
  const libc = openLibc()
  const target = socketAddress(to.host, to.port)
  const socket = libc.socket(target?.family ?? 0, nonblocking | 1, 0)
  const result = libc.connect(socket, target?.bytes ?? new Uint8Array())
  const [error = ""] = Object.entries(os.errno).find(([, number]) => number === -result) ?? []
  return {
    step: "direct",
    address: `${to.host}:${to.port}`,
    error,
    milliseconds: Math.round(performance.now() - startedAt),
  }
}
