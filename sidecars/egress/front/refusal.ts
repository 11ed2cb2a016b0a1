import { refuse } from "../../../src/policy/refuse.ts"
import type { Denial, DenyReason } from "../../../src/policy/types.ts"
import { valuesOf } from "../http/fields.ts"
import type { Headers } from "../http/head.ts"

/** Reasons of our own beside those of the policy: what went wrong beyond the gate. */
export type UpstreamReason = "upstream-unreachable" | "upstream-untrusted" | "upstream-malformed" | "upstream-closed"

/** A request that is answered by us instead of by an upstream. */
export interface Refusal {
  status: number
  gate: "egress" | "pipelock"
  reason: DenyReason | UpstreamReason
  message: string
  remedy: string
  /** The slot without a value: for the log, not for the agent. */
  slot?: string
}

const phrases: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  417: "Expectation Failed",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
}

/** The refusal of a denial of the policy: 403, except where another status says more to a client. */
export function refusalOf(denial: Denial, status = denial.reason === "resolve-failed" ? 502 : 403): Refusal {
  const { gate, reason, message, remedy } = denial
  return { status, gate, reason, message, remedy }
}

/** A request that is not proper HTTP. */
export function malformed(message: string, status = 400): Refusal {
  return {
    status,
    gate: "egress",
    reason: "bad-request",
    message: `The request is not strict HTTP/1.1: ${message}.`,
    remedy: "Send one well-formed HTTP/1.1 request; no rule can permit this one.",
  }
}

/** Something of ours failed while deciding: a denial (DESIGN, invariant 5). */
export function internalRefusal(): Refusal {
  return refusalOf(refuse("internal-error", {}, false))
}

/** The upstream failed; `message` is one sentence. */
export function upstreamRefusal(reason: UpstreamReason, message: string): Refusal {
  return {
    status: 502,
    gate: "egress",
    reason,
    message,
    remedy: "The policy permits this request; try again later, or ask the operator to look at the upstream.",
  }
}

/**
 * A complete response of ours as latin1 text. `accept` are the request's headers: text is given to who asks for text
 * rather than JSON. A HEAD gets the head alone.
 */
export function renderRefusal(refusal: Refusal, request: { headers: Headers; method: string }, close: boolean): string {
  const { gate, reason, message, remedy } = refusal
  const text = prefersText(request.headers)
  const body = text
    ? `refused by ${gate}: ${reason}\n${message}\n${remedy}\n`
    : `${JSON.stringify({ error: { gate, reason, message, remedy } })}\n`
  return renderResponse(refusal.status, text ? "text/plain; charset=utf-8" : "application/json", body, request, close)
}

/** A complete response of ours with a body of our own words, as latin1 text. */
export function renderResponse(
  status: number,
  type: string,
  body: string,
  request: { method: string },
  close: boolean,
): string {
  const bytes = Buffer.from(body, "utf8")
  const head = [
    `HTTP/1.1 ${status} ${phrases[status] ?? "Refused"}`,
    `Content-Type: ${type}`,
    `Content-Length: ${bytes.length}`,
    "Cache-Control: no-store",
    ...(close ? ["Connection: close"] : []),
  ].join("\r\n")
  return `${head}\r\n\r\n${request.method === "HEAD" ? "" : bytes.toString("latin1")}`
}

/** Whether Accept ranks some kind of text above JSON. Without a preference JSON it is. */
function prefersText(headers: Headers): boolean {
  let text = 0
  let json = 0
  for (const member of valuesOf(headers, "accept").flatMap((value) => value.split(","))) {
    const [range = "", ...parameters] = member.split(";").map((part) => part.trim().toLowerCase())
    const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1)
    if (!(weight > 0)) continue
    if (range.startsWith("text/")) text = Math.max(text, weight)
    else if (range === "application/json" || range === "*/*" || range === "application/*") json = Math.max(json, weight)
  }
  return (
    text > json || (text > 0 && text === json && valuesOf(headers, "accept")[0]?.trim().startsWith("text/") === true)
  )
}
