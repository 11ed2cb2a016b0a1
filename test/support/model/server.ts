import { type MessagesRequest, messageAnswer, messageEvents, readMessages } from "./anthropic.ts"
import { type ChatRequest, chatAnswer, chatEvents, readChat } from "./chat.ts"
import { type ResponsesRequest, readResponses, responseAnswer, responseEvents } from "./responses.ts"
import { type Progress, turnOf } from "./script.ts"

/** One request as the model saw it: what a test asserts on. */
export interface SeenRequest {
  method: string
  path: string
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  body: string
}

export interface PretendModel {
  port: number
  /** In order of arrival. */
  requests: SeenRequest[]
  /** Cut every connection and stop listening. */
  close(): Promise<void>
}

export interface ModelOptions {
  /** PEM texts. Absent: plain http. */
  tls?: { cert: string; key: string }
  /** Default: any free port. */
  port?: number
  /** Address to listen on. Default 127.0.0.1. */
  hostname?: string
}

/** A scripted model behind Anthropic Messages, OpenAI Responses and Chat Completions: see `script.ts` for what a prompt can make it do. */
export async function startModel(options: ModelOptions = {}): Promise<PretendModel> {
  const requests: SeenRequest[] = []
  const threads: Threads = new Map()
  const server = Bun.serve({
    hostname: options.hostname ?? "127.0.0.1",
    port: options.port ?? 0,
    idleTimeout: 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    fetch: async (request) => {
      const { pathname } = new URL(request.url)
      const body = await request.text()
      requests.push({ method: request.method, path: pathname, headers: Object.fromEntries(request.headers), body })
      return answer(request.method, pathname, body, requests.length, threads)
    },
  })
  return { port: server.port ?? 0, requests, close: () => server.stop(true) }
}

/** What the model keeps between requests: how far each thread of the message-threads beta has come, by message id. */
type Threads = Map<string, Progress>

function answer(method: string, path: string, body: string, count: number, threads: Threads): Response {
  if (path === "/api/hello") return Response.json({ message: "hello" })
  if (path.startsWith("/asked/")) return Response.json({ arrived: path })
  if (method !== "POST") return refusal(404, "not_found_error", `no ${method} ${path} here`)
  if (path === "/v1/messages/count_tokens") return Response.json({ input_tokens: 100 })
  const id = String(count).padStart(6, "0")
  try {
    if (path === "/v1/messages") return answerMessages(JSON.parse(body), id, threads)
    if (path === "/v1/responses") return answerResponses(JSON.parse(body), id)
    if (path === "/v1/chat/completions") return answerChat(JSON.parse(body), id)
  } catch (error) {
    return refusal(400, "invalid_request_error", String(error))
  }
  return refusal(404, "not_found_error", `no ${method} ${path} here`)
}

function answerMessages(request: MessagesRequest, id: string, threads: Threads): Response {
  const progress = readMessages(request, threads.get(request.thread?.previous_message_id ?? ""))
  if (request.thread !== undefined) threads.set(`msg_${id}`, progress)
  const turn = turnOf(progress)
  if (turn.kind === "fail") return scripted(turn.status)
  if (request.stream !== true) return Response.json(messageAnswer(request, turn, id))
  return streamed(messageEvents(request, turn, id))
}

function answerResponses(request: ResponsesRequest, id: string): Response {
  const turn = turnOf(readResponses(request))
  if (turn.kind === "fail") return scripted(turn.status)
  if (request.stream !== true) return Response.json(responseAnswer(request, turn, id))
  return streamed(responseEvents(request, turn, id))
}

function answerChat(request: ChatRequest, id: string): Response {
  const turn = turnOf(readChat(request))
  if (turn.kind === "fail") return scripted(turn.status)
  if (request.stream !== true) return Response.json(chatAnswer(request, turn, id))
  return streamed(chatEvents(request, turn, id))
}

function scripted(status: number): Response {
  return refusal(status, "invalid_request_error", "the script says so")
}

function streamed(events: AsyncGenerator<string>): Response {
  return new Response(toStream(events), { headers: { "content-type": "text/event-stream; charset=utf-8" } })
}

function refusal(status: number, type: string, message: string): Response {
  return Response.json({ type: "error", error: { type, message } }, { status })
}

function toStream(events: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await events.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await events.return(undefined)
    },
  })
}
