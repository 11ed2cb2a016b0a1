import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { CallResult, SidecarCall, SidecarEvent, SuperviseSettings } from "../../../sidecars/control.ts"
import type { Limits } from "../../../sidecars/supervise/limits.ts"
import { startSupervise } from "../../../sidecars/supervise/main.ts"
import type { ProposalResponse } from "../../../src/proposals/types.ts"

/** A supervise sidecar in this process, a host that answers as the test says, and clients of the official SDK. */
export interface Lab {
  socket: string
  /** What was asked of the host, in order. */
  asked: SidecarCall[]
  events: SidecarEvent[]
  /** How the host answers the next questions; default: the first free id, pending. */
  answer: (request: SidecarCall) => CallResult | undefined
  decide(response: Partial<ProposalResponse> & { proposal_id: string }): void
  /** Questions and waits that the sidecar holds. */
  pending(): number
  client(): Promise<Client>
  close(): Promise<void>
}

export async function startLab(settings: Partial<SuperviseSettings> = {}, limits: Partial<Limits> = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), "bottle-supervise-"))
  const socket = join(folder, "s.sock")
  const clients: Client[] = []
  let next = 0
  const supervise = await startSupervise({
    socket,
    settings: { image: { args: {} }, wait: 60, ...settings },
    limits,
    tell(call, request) {
      lab.asked.push(request)
      const result = lab.answer(request)
      if (result !== undefined) queueMicrotask(() => supervise.answered(call, result))
    },
    emit: (event) => void lab.events.push(event),
  })
  const lab: Lab = {
    socket,
    asked: [],
    events: [],
    answer(request) {
      if (request.op === "propose") return { kind: "pending", id: idOf(next++) }
      if (request.op === "proposal-status") return { kind: "pending", id: request.id }
      return { kind: "routes", text: "routes: []\nallowlist: []\n" }
    },
    decide: (response) => supervise.decided({ status: "approved", notes: "", final_file: "", ...response }),
    pending: () => supervise.pending,
    async client() {
      const client = new Client({ name: "test", version: "1" })
      const transport = new StreamableHTTPClientTransport(new URL("http://127.0.0.1:9100/mcp"), {
        fetch: (url, init) => fetch(url, { ...init, unix: socket } as RequestInit),
      })
      await client.connect(transport as never)
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) await client.close()
      await supervise.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return lab
}

/** The n-th id that the lab's host gives. */
export const idOf = (n: number): string => `p${n.toString(36).padStart(10, "0")}`

export interface Result {
  text: string
  data: { status?: string; notes?: string; final?: string; id?: string }
  failed: boolean
}

export async function call(
  client: Client,
  name: string,
  given: Record<string, unknown>,
  options: Parameters<Client["callTool"]>[2] = {},
): Promise<Result> {
  const result = await client.callTool({ name, arguments: given }, undefined, options)
  const [first] = result.content as { text: string }[]
  return {
    text: first?.text ?? "",
    data: (result.structuredContent ?? {}) as Result["data"],
    failed: result.isError === true,
  }
}
