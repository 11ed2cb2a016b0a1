import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js"
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { version } from "../../src/lib/version.ts"
import type { Limits } from "./limits.ts"
import { instructions } from "./tools/definitions.ts"
import type { Answer, ToolBox } from "./tools/run.ts"

/** What a request that speaks to the tools needs; the HTTP around it is `http/`. */
export interface McpRequest {
  headers: readonly (readonly [name: string, value: string])[]
  /** Parsed JSON. */
  message: unknown
  /** The connection is gone. */
  signal: AbortSignal
}

/**
 * One POST to /mcp by the official SDK. A server a request, without sessions: nothing is kept between requests, so
 * there is nothing to fill or to steal, and a proposal lives by its id alone. The one module that loads the SDK, which
 * happens with the first request.
 */
export async function serveMcp(request: McpRequest, tools: ToolBox, limits: Limits): Promise<Response> {
  const server = new Server(
    { name: "bot-bottle", title: "bot-bottle: ask the operator", version },
    { capabilities: { tools: {} }, instructions, jsonSchemaValidator: noValidator },
  )
  server.onerror = () => undefined
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.tools.map((tool) => ({ ...tool })) as never }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const token = extra._meta?.progressToken
    let progress = 0
    const answer = await tools.run({
      name: params.name,
      arguments: params.arguments,
      signal: request.signal,
      progress(message) {
        if (token === undefined) return
        progress += 1
        const notification = { progressToken: token, progress, message }
        extra.sendNotification({ method: "notifications/progress", params: notification }).catch(() => undefined)
      },
    })
    return resultOf(answer)
  })
  const transport = new WebStandardStreamableHTTPServerTransport({ keepAliveMs: limits.progressTime })
  await server.connect(transport)
  request.signal.addEventListener("abort", () => void server.close().catch(() => undefined))
  const http = new Request("http://127.0.0.1/mcp", { method: "POST", headers: headersOf(request.headers) })
  return transport.handleRequest(http, { parsedBody: request.message })
}

function resultOf({ text, outcome, failed }: Answer): CallToolResult {
  return {
    content: [{ type: "text", text }],
    ...(outcome === undefined ? {} : { structuredContent: { ...outcome } }),
    ...(failed ? { isError: true } : {}),
  }
}

/** The few fields that the protocol reads. */
function headersOf(given: McpRequest["headers"]): Headers {
  const read = ["accept", "content-type", "mcp-protocol-version"]
  return new Headers(given.filter(([name]) => read.includes(name.toLowerCase())).map(([name, value]) => [name, value]))
}

/** The SDK validates answers of a client's to questions that this server never asks. */
const noValidator = {
  getValidator: () => () => ({ valid: false as const, data: undefined, errorMessage: "nothing was asked" }),
}
