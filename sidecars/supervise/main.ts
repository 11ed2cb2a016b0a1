import { chmodSync, rmSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import type { ProposalResponse } from "../../src/proposals/types.ts"
import type { CallResult, SidecarCall, SidecarEvent, SuperviseSettings } from "../control.ts"
import { HostLink } from "./host-link.ts"
import { serveConnection } from "./http/connection.ts"
import { createEndpoint, type ServeMcp } from "./http/endpoint.ts"
import { defaultLimits, type Limits } from "./limits.ts"
import { Notices } from "./notices.ts"
import { ToolBox } from "./tools/run.ts"

export interface SuperviseOptions {
  /** Path of the Unix socket to listen on; made with mode 0666. */
  socket: string
  settings: SuperviseSettings
  tell(call: string, request: SidecarCall): void
  emit(event: SidecarEvent): void
  limits?: Partial<Limits>
}

export interface Supervise {
  answered(call: string, result: CallResult): void
  decided(response: ProposalResponse): void
  /** Questions and waits under way. */
  readonly pending: number
  close(): Promise<void>
}

/** Start the supervise sidecar of one bottle: the agent's tools on its socket. Resolves when it listens. */
export async function startSupervise(options: SuperviseOptions): Promise<Supervise> {
  const limits = { ...defaultLimits, ...options.limits }
  const notices = new Notices(options.emit, () => performance.now())
  const link = new HostLink(options.tell)
  const tools = new ToolBox({
    ...{ link, settings: options.settings, limits, now: () => performance.now() },
    onLimit: (what) => notices.tell("limited", { what }),
  })
  const handle = createEndpoint(tools, limits, async (...request) => (await loadMcp())(...request))
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy())
    if (sockets.size >= limits.connections) {
      notices.tell("limited", { what: "connections" })
      socket.end("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
      socket.resume()
      setTimeout(() => socket.destroy(), 1000)
      return
    }
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    void serveConnection(socket, limits, handle)
  })
  rmSync(options.socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.socket, resolve)
  })
  // The agent's side runs under another uid; the directory decides who gets here.
  chmodSync(options.socket, 0o666)
  return {
    answered: (call, result) => link.answered(call, result),
    decided: (response) => link.decided(response),
    get pending() {
      return link.pending
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function loadMcp(): Promise<ServeMcp> {
  return (await import("./mcp.ts")).serveMcp
}
