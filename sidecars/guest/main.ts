import { symlinkSync, unlinkSync } from "node:fs"
import { parseArgs } from "node:util"
import { forwardPort } from "./forward.ts"
import { type Libc, openLibc } from "./libc.ts"
import { limitSelf, parseLimit } from "./limits.ts"
import { ports } from "./protocol.ts"
import { serveRequests } from "./requests.ts"

/** How long a connection to supervise waits for it, in ms. */
const supervisePatience = 10_000

/**
 * `bottle guest`: the first process of ours inside the agent's boundary. It lowers its own limits for good, joins the
 * fixed loopback ports to the sidecars' sockets and serves the keeper's requests; everything the agent runs descends
 * from it. Flags: `--socket <path>`, `--port <port>=<socket>` and `--limit <name>=<value>`, the latter two repeated, and
 * `--binary-link <path>`, where the binary is to be found when it lies elsewhere. Never resolves; throws when it
 * cannot begin.
 */
export async function runGuest(argv: string[]): Promise<never> {
  const { values } = parseArgs({
    args: argv,
    options: {
      socket: { type: "string" },
      port: { type: "string", multiple: true, default: [] },
      limit: { type: "string", multiple: true, default: [] },
      "binary-link": { type: "string" },
    },
  })
  if (values.socket === undefined) throw new Error("guest: --socket is missing")
  // What this process got for itself is not for those it starts.
  delete process.env.BUN_OPTIONS
  delete process.env.BUN_BE_BUN
  const libc = opensOnce()
  limitSelf(values.limit.map(parseLimit), libc())
  // A keeper that reads no longer must not end the boundary.
  process.on("SIGPIPE", () => {})
  process.on("SIGHUP", () => {})
  process.on("uncaughtException", (error) => console.error(`guest: ${error.message}`))
  process.on("unhandledRejection", (reason) => console.error(`guest: ${reason}`))
  for (const port of values.port) {
    const [number, path] = splitOnce(port, "=")
    // It starts beside the agent and may be starting again; a client that finds nobody there never asks again.
    forwardPort(Number(number), path, Number(number) === ports.supervise ? supervisePatience : 0)
  }
  const link = values["binary-link"]
  if (link !== undefined) symlinkSync(process.execPath, link)
  removeStale(values.socket)
  serveRequests(values.socket, {
    libc,
    prove: async (request) => (await import("./probes.ts")).proveInside(request, libc()),
  })
  return new Promise<never>(() => {})
}

function opensOnce(): () => Libc {
  let libc: Libc | undefined
  return () => {
    libc ??= openLibc()
    return libc
  }
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  if (at < 1) throw new Error(`guest: expected ${mark} in ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** A socket of an earlier boundary of the same bottle would keep this one from listening. */
function removeStale(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // There was none.
  }
}
