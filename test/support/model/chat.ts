import { inPieces, sse } from "./pieces.ts"
import type { Answer, Progress } from "./script.ts"

/** The part of a Chat Completions request that a pretend model looks at. */
export interface ChatRequest {
  model?: string
  stream?: boolean
  messages?: { role: string; content?: string | { type: string; text?: string }[] | null }[]
}

const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }

export function readChat(request: ChatRequest): Progress {
  let prompt = ""
  let results: string[] = []
  for (const { role, content } of request.messages ?? []) {
    const text =
      typeof content === "string"
        ? content
        : (content ?? []).flatMap((part) => (part.text === undefined ? [] : [part.text])).join("\n")
    if (role === "tool") results.push(text)
    if (role === "user") [prompt, results] = [text, []]
  }
  return { prompt, results }
}

/** A whole answer. */
export function chatAnswer(request: ChatRequest, turn: Answer, id: string): unknown {
  const message =
    turn.kind === "call"
      ? { role: "assistant", content: null, tool_calls: [toolCall(turn, id)] }
      : { role: "assistant", content: turn.text }
  const choice = { index: 0, message, finish_reason: finish(turn) }
  return { ...head(request, id), object: "chat.completion", choices: [choice], usage }
}

/** The same answer as the chunks of a stream, held open for the turn's pause after the first piece of text. */
export async function* chatEvents(request: ChatRequest, turn: Answer, id: string): AsyncGenerator<string> {
  const chunk = (delta: unknown, reason: string | null, more: object = {}) =>
    sse({
      ...head(request, id),
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: reason }],
      ...more,
    })
  if (turn.kind === "call") {
    yield chunk({ role: "assistant", content: null, tool_calls: [{ index: 0, ...toolCall(turn, id) }] }, null)
  } else {
    for (const [at, content] of inPieces(turn.text).entries()) {
      yield chunk({ role: "assistant", content }, null)
      if (at === 0 && turn.pause > 0) await Bun.sleep(turn.pause)
    }
  }
  yield chunk({}, finish(turn), { usage })
  yield "data: [DONE]\n\n"
}

function head(request: ChatRequest, id: string) {
  return { id: `chatcmpl-${id}`, created: 1_760_000_000, model: request.model ?? "pretend" }
}

function toolCall(turn: Extract<Answer, { kind: "call" }>, id: string) {
  return { id: `call_${id}`, type: "function", function: { name: turn.tool, arguments: JSON.stringify(turn.input) } }
}

function finish(turn: Answer): string {
  return turn.kind === "call" ? "tool_calls" : "stop"
}
