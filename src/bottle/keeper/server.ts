import { chmodSync, rmSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { BottleError } from "../../lib/errors.ts"
import { readFirstLine, writeLine } from "../../lib/lines.ts"
import { parseKeeperRequest } from "./parse-request.ts"
import type { KeeperAnswer, KeeperRequest } from "./protocol.ts"

/** Requests are small; a session's bytes come after in frames. */
const maxRequest = 256 * 1024

/** Requests that take the whole connection. */
type SessionRequest = Extract<KeeperRequest, { op: "attach" | "exec" | "forward" }>

/** What the keeper does for its clients. `session` owns the socket from the moment it is called. */
export interface KeeperHandlers {
  answer(request: Exclude<KeeperRequest, SessionRequest>): Promise<KeeperAnswer>
  session(request: SessionRequest, socket: Socket): Promise<void>
}

export interface KeeperServer {
  /** Take no more clients and wait, at most this many ms, until those there are have read their answers. */
  drain(limit: number): Promise<void>
}

/** Listen on the keeper's socket, which only this user can reach. A client's failure never reaches the keeper. */
export async function serveClients(path: string, handlers: KeeperHandlers): Promise<KeeperServer> {
  rmSync(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on("close", () => open.delete(socket))
    socket.on("error", () => socket.destroy())
    void handle(socket, handlers)
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return {
    async drain(limit) {
      server.close()
      const closed = [...open].map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())))
      await Promise.race([Promise.all(closed), Bun.sleep(limit)])
    },
  }
}

const isSession = (request: KeeperRequest): request is SessionRequest =>
  request.op === "attach" || request.op === "exec" || request.op === "forward"

async function handle(socket: Socket, handlers: KeeperHandlers): Promise<void> {
  try {
    const request = parseKeeperRequest(await readFirstLine(socket, maxRequest))
    if (request === undefined) throw new BottleError("not a request", { code: "request", exit: "failed" })
    if (isSession(request)) return await handlers.session(request, socket)
    writeLine(socket, await handlers.answer(request))
  } catch (error) {
    writeLine(socket, refusal(error))
  }
  socket.end()
}

function refusal(error: unknown): KeeperAnswer {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof BottleError)) return { ok: false, code: "keeper", error: message }
  return { ok: false, code: error.code, error: message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
}
