import type { Readable } from "node:stream"
import { safeText } from "../../../ui/safe-text.ts"

const longestLine = 300
const longestRecord = 1024 * 1024

/**
 * Read what an engine tells of a build or a pull, a JSON text a line, and give each line of its words, safe to show, to
 * `say`. It tells of a failure in these words only, with status 200: then this rejects with them.
 */
export async function readProgress(stream: Readable, say: (line: string) => void): Promise<void> {
  let rest = ""
  let words = ""
  const failure: string[] = []
  const take = (record: string) => {
    const told = parseRecord(record)
    if (told.error !== undefined) failure.push(told.error)
    const lines = (words + (told.stream ?? "")).split("\n")
    words = lines.pop() ?? ""
    if (words.length > longestLine * 10) lines.push(words.slice(0, longestLine))
    if (words.length > longestLine * 10) words = ""
    for (const line of lines) sayLine(line, say)
  }
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    rest += decoder.decode(chunk as Buffer, { stream: true })
    const records = rest.split("\n")
    rest = records.pop() ?? ""
    if (rest.length > longestRecord) throw new Error("the engine's progress has no end of line")
    for (const record of records) take(record)
  }
  take(rest)
  sayLine(words, say)
  const [first] = failure
  if (first !== undefined) throw new Error(safeText(first.replace(/\s+/g, " "), longestLine))
}

/** What overwrites a line is shown as its last state; an empty line says nothing. */
function sayLine(line: string, say: (line: string) => void): void {
  const last = line.replace(/\r+$/, "").split("\r").at(-1) ?? ""
  const plain = safeText(withoutColours(last), longestLine).trimEnd()
  if (plain !== "") say(plain)
}

/** Programs in a build colour their words without asking; any other sequence is made visible by `safeText`. */
function withoutColours(line: string): string {
  return line.replaceAll(/\x1b\[[0-9;]*m/g, "")
}

function parseRecord(record: string): { stream?: string; error?: string } {
  if (record.trim() === "") return {}
  let told: unknown
  try {
    told = JSON.parse(record)
  } catch {
    return { stream: `${record}\n` }
  }
  if (typeof told !== "object" || told === null) return {}
  const { stream, error } = told as Record<string, unknown>
  return {
    ...(typeof stream === "string" ? { stream } : {}),
    ...(error === undefined ? {} : { error: typeof error === "string" ? error : "no reason given" }),
  }
}
