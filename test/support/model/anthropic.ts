import { inPieces, sse } from "./pieces.ts"
import { type Answer, type Progress, type Turn, turnOf } from "./script.ts"

/** The part of a Messages request that a pretend model looks at. */
export interface MessagesRequest {
  model?: string
  stream?: boolean
  messages?: { role: string; content: string | Block[] }[]
  /** The message-threads beta: only what is new since an earlier answer is sent. */
  thread?: { type?: string; previous_message_id?: string }
}

interface Block {
  type: string
  text?: string
  content?: string | Block[]
  is_error?: boolean
}

const usage = { input_tokens: 100, output_tokens: 20, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }

/** The last prompt a person wrote decides the script; tool results after it say how far the script has come. */
export function readMessages(request: MessagesRequest, before?: Progress): Progress {
  let { prompt, results } = before ?? { prompt: "", results: [] }
  for (const message of request.messages ?? []) {
    if (message.role !== "user") continue
    const blocks = toBlocks(message.content)
    const answers = blocks.filter((block) => block.type === "tool_result")
    const text = withoutReminders(textOf(blocks))
    if (answers.length > 0) results = [...results, ...answers.map((block) => textOf(toBlocks(block.content ?? "")))]
    else if (text !== "") [prompt, results] = [text, []]
  }
  return { prompt, results }
}

/** What a request without earlier ones asks the model to do. */
export function planMessages(request: MessagesRequest): Turn {
  return turnOf(readMessages(request))
}

/** A whole Messages answer. */
export function messageAnswer(request: MessagesRequest, turn: Answer, id: string): unknown {
  return { ...messageHead(request, id), content: [contentBlock(turn, id)], stop_reason: stopReason(turn), usage }
}

/** The same answer as the events of a stream, held open for the turn's pause after the first piece of text. */
export async function* messageEvents(request: MessagesRequest, turn: Answer, id: string): AsyncGenerator<string> {
  const head = messageHead(request, id)
  yield event("message_start", { message: { ...head, content: [], stop_reason: null, usage } })
  const block = contentBlock(turn, id)
  const empty = turn.kind === "call" ? { ...block, input: {} } : { ...block, text: "" }
  yield event("content_block_start", { index: 0, content_block: empty })
  for (const [at, piece] of inPieces(turn.kind === "call" ? JSON.stringify(turn.input) : turn.text).entries()) {
    const delta =
      turn.kind === "call" ? { type: "input_json_delta", partial_json: piece } : { type: "text_delta", text: piece }
    yield event("content_block_delta", { index: 0, delta })
    if (at === 0 && turn.kind === "say" && turn.pause > 0) await Bun.sleep(turn.pause)
  }
  yield event("content_block_stop", { index: 0 })
  yield event("message_delta", { delta: { stop_reason: stopReason(turn), stop_sequence: null }, usage })
  yield event("message_stop", {})
}

function messageHead(request: MessagesRequest, id: string) {
  return { id: `msg_${id}`, type: "message", role: "assistant", model: request.model ?? "pretend", stop_sequence: null }
}

function contentBlock(turn: Answer, id: string) {
  return turn.kind === "call"
    ? { type: "tool_use", id: `toolu_${id}`, name: turn.tool, input: turn.input }
    : { type: "text", text: turn.text }
}

function stopReason(turn: Answer): string {
  return turn.kind === "call" ? "tool_use" : "end_turn"
}

function event(type: string, fields: Record<string, unknown>): string {
  return sse({ type, ...fields }, type)
}

function toBlocks(content: string | Block[]): Block[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content
}

function textOf(blocks: readonly Block[]): string {
  return blocks.flatMap((block) => (block.type === "text" ? [block.text ?? ""] : [])).join("\n")
}

/** CLIs put notes of their own beside what the person typed. */
function withoutReminders(text: string): string {
  return text.replaceAll(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "").trim()
}
