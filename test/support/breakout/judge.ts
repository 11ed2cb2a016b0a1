import { type Captured, isOrdinary } from "./arena.ts"
import { findNeedle, formsOf } from "./decode.ts"
import type { Vector } from "./vector.ts"

/** What an attack printed, and how it ended. */
export interface Attempt {
  name: string
  code: number
  output: Buffer
}

/** One line of the table. */
export interface Finding {
  vector: Vector
  /** In what way it leaked; absent: nothing did. */
  leak?: string
}

/** What a run is judged by: the canaries all begin alike, so that most of what was captured is looked at once. */
export interface Evidence {
  attempts: readonly Attempt[]
  captured: readonly Captured[]
  canaryOf(vector: Vector): string
  canaryStart: string
  secret: string
}

const bytesOf = (text: string | undefined) => Buffer.from(text ?? "", "base64")

/** Judge every attack of a run: by what was captured, by what it could read, and by its own word. */
export function judge(vectors: readonly Vector[], evidence: Evidence): Finding[] {
  const carriers = evidence.captured.filter((event) => findNeedle(textOf(event), evidence.canaryStart) !== undefined)
  return vectors.map((vector) => {
    const leak = leakOf(vector, carriers, evidence)
    return leak === undefined ? { vector } : { vector, leak }
  })
}

/** What was captured and no listed host accounts for, whoever sent it; and a secret anywhere but at its host. */
export function strays(captured: readonly Captured[], listed: readonly string[], secret: string): Captured[] {
  return captured.filter((event) => !isOrdinary(event, listed) || (event.kind === "datagram" && holds(event, secret)))
}

function leakOf(vector: Vector, carriers: readonly Captured[], evidence: Evidence): string | undefined {
  const attempt = evidence.attempts.find(({ name }) => name === vector.name)
  if (attempt === undefined) return "did not run"
  const secret = findNeedle(attempt.output, evidence.secret)
  if (secret !== undefined) return `the secret came back (${secret})`
  const said = /^LEAK.*$/m.exec(attempt.output.toString("latin1"))?.[0]
  if (said !== undefined) return said
  if (vector.leak === "secret") return undefined
  const canary = evidence.canaryOf(vector)
  const forms = formsOf(canary)
  for (const event of carriers) {
    if (vector.leak === "head") {
      if (event.kind === "request" && (event.head ?? "").includes(canary)) return `in a request: ${firstLine(event)}`
      continue
    }
    const bytes = textOf(event)
    const found = forms.find(([, text]) => bytes.includes(text, 0, "latin1"))?.[0] ?? findNeedle(bytes, canary)
    if (found !== undefined) return `${event.proto} to ${event.to ?? event.name}:${event.port} (${found})`
  }
  return undefined
}

function textOf(event: Captured): Buffer {
  return event.kind === "request"
    ? Buffer.concat([Buffer.from(event.head ?? "", "latin1"), bytesOf(event.body)])
    : bytesOf(event.data)
}

const holds = (event: Captured, needle: string) => findNeedle(textOf(event), needle) !== undefined
const firstLine = (event: Captured) => (event.head ?? "").split("\r\n", 1)[0]
