import type { Duplex } from "node:stream"
import type { GuestAnswer, GuestRequest } from "../../../../sidecars/guest/protocol.ts"
import type { Probe } from "../../../backends/backend.ts"
import { readFirstLine, writeLine } from "../../../lib/lines.ts"

/** Longest answer that the guest, which is untrusted, may give to a request, in bytes. */
const maxAnswer = 64 * 1024

/**
 * Ask the guest one thing. The stream stays open for the next one; after `start` and `dial` frames follow. Rejects when
 * the guest refuses, ends early, or answers with something else.
 */
export async function askGuest(stream: Duplex, request: GuestRequest): Promise<GuestAnswer & { ok: true }> {
  writeLine(stream, request)
  const answer = parseAnswer(await readFirstLine(stream, maxAnswer))
  if (typeof answer !== "object" || answer === null || !("ok" in answer))
    throw new Error("malformed answer of the guest")
  if (answer.ok === true) return answer as GuestAnswer & { ok: true }
  const error = "error" in answer && typeof answer.error === "string" ? answer.error : "no reason given"
  throw new Error(`the guest refused ${request.op}: ${error.slice(0, 300)}`)
}

function parseAnswer(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** The inside probes of an answer, checked; anything malformed is one failed probe. */
export function readProbes(answer: GuestAnswer & { ok: true }): Probe[] {
  const probes: unknown = answer.probes
  if (!Array.isArray(probes) || probes.length === 0 || probes.length > 100) {
    return [{ side: "inside", name: "guest-answer", ok: false, detail: "the guest gave no list of probes" }]
  }
  return probes.map((probe: unknown) => {
    const entry = (typeof probe === "object" && probe !== null ? probe : {}) as Record<string, unknown>
    return {
      side: "inside",
      name: String(entry.name).slice(0, 60),
      ok: entry.ok === true,
      detail: String(entry.detail).slice(0, 200),
    }
  })
}
