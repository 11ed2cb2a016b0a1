import { frameRequest, readBody } from "../../egress/http/body.ts"
import { listMembers, onlyValue } from "../../egress/http/fields.ts"
import { BadMessage, parseRequestHead, type RequestHead, readHeadLines } from "../../egress/http/head.ts"
import type { ByteSource } from "../../egress/http/source.ts"
import type { Limits } from "../limits.ts"

/** A request with its whole body, or what it is answered instead. */
export type ReadRequest =
  | { kind: "request"; head: RequestHead; body: Buffer; keep: boolean }
  | { kind: "bad"; status: number; why: string }
  /** The connection ended where none began. */
  | { kind: "end" }

/** Told what is being waited for, so that each has its own time. */
export interface Phases {
  head(): void
  body(): void
  done(): void
}

/** Read one request strictly: what two readers could frame differently, and what is too large, is refused. */
export async function readRequest(
  source: ByteSource,
  limits: Limits,
  phases: Phases,
  onContinue: () => void,
): Promise<ReadRequest> {
  try {
    const lines = await readHeadLines(source, limits.headBytes, phases.head)
    if (lines === null) return { kind: "end" }
    const head = parseRequestHead(lines)
    if (head.minor === 0) throw new BadMessage("only HTTP/1.1 is spoken here", 505)
    if (onlyValue(head.headers, "host") === undefined) throw new BadMessage("the Host field is missing")
    const framing = frameRequest(head)
    const tooLarge = { kind: "bad", status: 413, why: `the body is longer than ${limits.bodyBytes} bytes` } as const
    if (framing.kind === "length" && framing.length > limits.bodyBytes) return tooLarge
    phases.body()
    if (framing.kind !== "none" && listMembers(head.headers, "expect").includes("100-continue")) onContinue()
    const body = readBody(source, framing)
    const parts: Buffer[] = []
    let size = 0
    for (let part = await body.next(); part !== null; part = await body.next()) {
      size += part.length
      if (size > limits.bodyBytes) return tooLarge
      parts.push(part)
    }
    phases.done()
    const keep = !listMembers(head.headers, "connection").includes("close")
    return { kind: "request", head, body: Buffer.concat(parts), keep }
  } catch (error) {
    if (error instanceof BadMessage) return { kind: "bad", status: error.status, why: error.message }
    throw error
  }
}
