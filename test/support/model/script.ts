/**
 * The script of a pretend model stands in the prompt it is given, one instruction a line, so the model keeps no state
 * and any CLI can drive it:
 *
 *   CALL <tool> <json>   call a tool; one call a turn, in order
 *   JS <tool> <source>   the same for a tool that takes plain text (Codex' code mode)
 *   PAUSE <ms>           hold the final answer's stream open that long after its first piece
 *   FAIL <status>        answer with this status instead of the final answer
 *   SAY <text>           the final answer, after the last call; the last tool result is appended
 */
export interface Script {
  calls: readonly { tool: string; input: unknown }[]
  say: string
  pause: number
  fail: number | undefined
}

/** How far a conversation has come: the last prompt a person wrote, and what tools answered since. */
export interface Progress {
  prompt: string
  results: readonly string[]
}

/** What the model does this turn. An `input` that is text is for a tool that takes plain text. */
export type Answer = { kind: "call"; tool: string; input: unknown } | { kind: "say"; text: string; pause: number }

/** Read a prompt's instructions; lines that are none are ignored. Throws a SyntaxError on broken JSON. */
export function readScript(prompt: string): Script {
  const calls: { tool: string; input: unknown }[] = []
  let say = "nothing to say"
  let pause = 0
  let fail: number | undefined
  for (const line of prompt.split("\n")) {
    const [, word, rest = ""] = /^\s*(CALL|FAIL|JS|PAUSE|SAY)\s+(.*?)\s*$/.exec(line) ?? []
    if (word === "SAY") say = rest
    if (word === "PAUSE") pause = Number(rest)
    if (word === "FAIL") fail = Number(rest)
    if (word === "CALL" || word === "JS") {
      const [, tool = "", input = ""] = /^(\S+)\s*(.*)$/.exec(rest) ?? []
      calls.push({ tool, input: word === "JS" ? input : JSON.parse(input || "{}") })
    }
  }
  return { calls, say, pause, fail }
}

/** An answer, or an HTTP status instead of one. */
export type Turn = Answer | { kind: "fail"; status: number }

/** The next step of a conversation. */
export function turnOf({ prompt, results }: Progress): Turn {
  return nextTurn(readScript(prompt), results)
}

/** The next step of a script of which `results` tool calls have been answered. */
export function nextTurn(script: Script, results: readonly string[]): Turn {
  const call = script.calls[results.length]
  if (call !== undefined) return { kind: "call", ...call }
  if (script.fail !== undefined) return { kind: "fail", status: script.fail }
  const last = results.at(-1)
  return { kind: "say", text: last === undefined ? script.say : `${script.say} [tool: ${last}]`, pause: script.pause }
}
