import { expect, test } from "bun:test"
import { planMessages } from "../../support/model/anthropic.ts"
import { startModel } from "../../support/model/server.ts"

const script = 'CALL Bash {"command":"date"}\nSAY done'
const answered = [
  { role: "user", content: script },
  { role: "assistant", content: [] },
  { role: "user", content: [{ type: "tool_result", content: [{ type: "text", text: "noon" }] }] },
]

test("a script's calls are made one a turn, then its answer is said with the last result", () => {
  expect(planMessages({ messages: answered.slice(0, 1) })).toEqual({
    kind: "call",
    tool: "Bash",
    input: { command: "date" },
  })
  expect(planMessages({ messages: answered })).toEqual({ kind: "say", text: "done [tool: noon]", pause: 0 })
})

test("a new prompt starts a new script, and reminders beside it are no part of it", () => {
  const text = "<system-reminder>SAY wrong</system-reminder>SAY again"
  const messages = [...answered, { role: "user", content: [{ type: "text", text }] }]
  expect(planMessages({ messages })).toEqual({ kind: "say", text: "again", pause: 0 })
})

test("an answer comes whole or streamed, and each request is kept for the test", async () => {
  const model = await startModel()
  try {
    const ask = (stream: boolean) =>
      fetch(`http://127.0.0.1:${model.port}/v1/messages`, {
        method: "POST",
        headers: { authorization: "Bearer real" },
        body: JSON.stringify({ stream, messages: [{ role: "user", content: "SAY hello" }] }),
      })
    expect(await (await ask(false)).json()).toMatchObject({ content: [{ type: "text", text: "hello" }] })
    const streamed = await (await ask(true)).text()
    expect(streamed).toContain('"text":"hel"')
    expect(streamed.trimEnd().endsWith('{"type":"message_stop"}')).toBe(true)
    expect(model.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ["/v1/messages", "Bearer real"],
      ["/v1/messages", "Bearer real"],
    ])
  } finally {
    await model.close()
  }
})

const ask = async (model: { port: number }, path: string, body: unknown) => {
  const answer = await fetch(`http://127.0.0.1:${model.port}${path}`, { method: "POST", body: JSON.stringify(body) })
  return answer.text()
}

test("the Responses API: surroundings are no prompt, tools by namespace or in plain text, results by either kind", async () => {
  const model = await startModel()
  try {
    const user = (text: string) => ({ role: "user", content: [{ type: "input_text", text }] })
    const script = 'CALL mcp__a::b {"n":1}\nJS functions::exec text(1)\nSAY done'
    const input: unknown[] = [user(script), user("<environment_context>SAY wrong</environment_context>")]
    const turn = async () => JSON.parse(await ask(model, "/v1/responses", { input })).output[0]
    expect(await turn()).toMatchObject({ type: "function_call", namespace: "mcp__a", name: "b", arguments: '{"n":1}' })
    input.push({ type: "function_call_output", output: "one" })
    expect(await turn()).toMatchObject({ type: "custom_tool_call", name: "exec", input: "text(1)" })
    input.push({ type: "custom_tool_call_output", output: [{ type: "input_text", text: "two" }] })
    expect(await turn()).toMatchObject({ type: "message", content: [{ text: "done [tool: two]" }] })
    const events = await ask(model, "/v1/responses", { input, stream: true })
    expect([...events.matchAll(/^event: (\S+)/gm)].map(([, name]) => name)).toEqual([
      "response.created",
      "response.output_item.added",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_item.done",
      "response.completed",
    ])
  } finally {
    await model.close()
  }
})

test("Chat Completions: whole and streamed", async () => {
  const model = await startModel()
  try {
    const messages: unknown[] = [{ role: "user", content: 'CALL look {"at":"sky"}\nSAY blue' }]
    const call = JSON.parse(await ask(model, "/v1/chat/completions", { messages })).choices[0]
    expect(call).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { name: "look" } }] },
    })
    messages.push({ role: "tool", content: "clouds" })
    const said = JSON.parse(await ask(model, "/v1/chat/completions", { messages })).choices[0]
    expect(said).toMatchObject({ finish_reason: "stop", message: { content: "blue [tool: clouds]" } })
    const streamed = await ask(model, "/v1/chat/completions", { messages, stream: true })
    expect(streamed).toContain('"delta":{"role":"assistant","content":"blue [tool"}')
    expect(streamed).toEndWith("data: [DONE]\n\n")
  } finally {
    await model.close()
  }
})

test("a thread sends only what is new, and a script can fail", async () => {
  const model = await startModel()
  try {
    const thread = { type: "start" }
    const first = JSON.parse(await ask(model, "/v1/messages", { thread, messages: answered.slice(0, 1) }))
    const next = { thread: { type: "continue", previous_message_id: first.id }, messages: answered.slice(2) }
    expect(JSON.parse(await ask(model, "/v1/messages", next)).content).toEqual([
      { type: "text", text: "done [tool: noon]" },
    ])
    const failing = { method: "POST", body: JSON.stringify({ input: "FAIL 418" }) }
    expect((await fetch(`http://127.0.0.1:${model.port}/v1/responses`, failing)).status).toBe(418)
  } finally {
    await model.close()
  }
})
