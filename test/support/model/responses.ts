import { inPieces, sse } from "./pieces.ts"
import type { Answer, Progress } from "./script.ts"

/** The part of a Responses request that a pretend model looks at. */
export interface ResponsesRequest {
  model?: string
  stream?: boolean
  input?: string | Item[]
}

interface Item {
  type?: string
  role?: string
  content?: string | Part[]
  output?: string | Part[] | { content?: string | Part[] }
}

interface Part {
  type: string
  text?: string
}

const usage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 120,
}

/** What Codex puts before the person's words as messages of a user: its surroundings, rules, skills. */
const surroundings = /^\s*(<[a-z_]+>|# AGENTS\.md)/i

export function readResponses(request: ResponsesRequest): Progress {
  const items = typeof request.input === "string" ? [{ role: "user", content: request.input }] : (request.input ?? [])
  let prompt = ""
  let results: string[] = []
  for (const item of items as Item[]) {
    if (item.type === "function_call_output" || item.type === "custom_tool_call_output") results.push(outputOf(item))
    if (item.role !== "user") continue
    const text = textOf(item.content)
    if (!surroundings.test(text)) [prompt, results] = [text, []]
  }
  return { prompt, results }
}

/** A whole answer. */
export function responseAnswer(request: ResponsesRequest, turn: Answer, id: string): unknown {
  return { ...responseHead(request, id), status: "completed", output: [outputItem(turn, id)], usage }
}

/** The same answer as the events of a stream, held open for the turn's pause after the first piece of text. */
export async function* responseEvents(request: ResponsesRequest, turn: Answer, id: string): AsyncGenerator<string> {
  let number = 0
  const event = (type: string, fields: Record<string, unknown>) =>
    sse({ type, sequence_number: number++, ...fields }, type)
  const item = outputItem(turn, id)
  yield event("response.created", { response: { ...responseHead(request, id), output: [] } })
  yield event("response.output_item.added", { output_index: 0, item: { ...item, ...emptied(turn) } })
  if (turn.kind === "say") {
    for (const [at, delta] of inPieces(turn.text).entries()) {
      yield event("response.output_text.delta", { item_id: item.id, output_index: 0, content_index: 0, delta })
      if (at === 0 && turn.pause > 0) await Bun.sleep(turn.pause)
    }
  }
  yield event("response.output_item.done", { output_index: 0, item })
  yield event("response.completed", { response: responseAnswer(request, turn, id) })
}

function responseHead(request: ResponsesRequest, id: string) {
  return {
    id: `resp_${id}`,
    object: "response",
    created_at: 1_760_000_000,
    model: request.model ?? "pretend",
    status: "in_progress",
  }
}

function outputItem(turn: Answer, id: string): { id: string; [key: string]: unknown } {
  const status = "completed"
  if (turn.kind === "say") {
    const content = [{ type: "output_text", text: turn.text, annotations: [] }]
    return { type: "message", id: `msg_${id}`, role: "assistant", status, content }
  }
  const call = { call_id: `call_${id}`, status, ...toolName(turn.tool) }
  return typeof turn.input === "string"
    ? { type: "custom_tool_call", id: `ctc_${id}`, ...call, input: turn.input }
    : { type: "function_call", id: `fc_${id}`, ...call, arguments: JSON.stringify(turn.input) }
}

/** `namespace::name`: MCP tools of Codex stand in a namespace of their server's. */
function toolName(tool: string): { name: string; namespace?: string } {
  const [first = "", second] = tool.split("::")
  return second === undefined ? { name: first } : { namespace: first, name: second }
}

function emptied(turn: Answer): Record<string, unknown> {
  const status = "in_progress"
  if (turn.kind === "say") return { status, content: [] }
  return typeof turn.input === "string" ? { status, input: "" } : { status, arguments: "" }
}

function outputOf({ output }: Item): string {
  if (typeof output === "object" && !Array.isArray(output)) return textOf(output.content)
  return textOf(output)
}

function textOf(content: string | Part[] | undefined): string {
  if (typeof content === "string") return content
  return (content ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n")
}
