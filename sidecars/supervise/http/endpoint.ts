import type { Limits } from "../limits.ts"
import type { ToolBox } from "../tools/run.ts"
import { type Handler, type HttpRequest, plain } from "./connection.ts"
import { parseBody } from "./json.ts"

/** What answers a message of the protocol; loaded with the first one. */
export type ServeMcp = (
  request: { headers: HttpRequest["headers"]; message: unknown; signal: AbortSignal },
  tools: ToolBox,
  limits: Limits,
) => Promise<Response>

/**
 * `POST /mcp`, and plain words for everything else. Never 401 or 403: a client takes those for a question to sign in and
 * hides the tools, in later sessions too (FACTS 19).
 */
export function createEndpoint(tools: ToolBox, limits: Limits, serveMcp: ServeMcp): Handler {
  return async (request) => {
    const { method, target, headers, body, signal } = request
    if (target !== "/mcp") return plain(404, "there is /mcp alone, for the Model Context Protocol")
    // No session to end, and nothing that this server says by itself.
    if (method !== "POST") {
      return new Response("POST alone is answered here\n", { status: 405, headers: { Allow: "POST" } })
    }
    const parsed = parseBody(body, limits.depth)
    if (parsed.kind === "bad") return rpcError(400, undefined, -32700, `Parse error: ${parsed.why}`)
    const asked = discoveryId(parsed.value)
    if (asked !== undefined) return rpcError(200, asked, -32601, "Method not found")
    return serveMcp({ headers, message: parsed.value, signal }, tools, limits)
  }
}

/** Asked in the words of a protocol that this one is not, and before anything else. */
function discoveryId(message: unknown): string | number | undefined {
  if (typeof message !== "object" || message === null) return undefined
  const { method, id } = message as Record<string, unknown>
  if (method !== "server/discover") return undefined
  return typeof id === "string" || typeof id === "number" ? id : undefined
}

function rpcError(status: number, id: string | number | undefined, code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", id: id ?? null, error: { code, message } }, { status })
}
