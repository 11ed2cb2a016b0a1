import type { SidecarEvent } from "../control.ts"
import type { Refusal } from "./front/refusal.ts"
import type { Headers } from "./http/head.ts"
import type { SecretSet } from "./redact/secret-set.ts"

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
}

/** What the log says of a request. Fields that are not known stay away. */
export interface RequestLine {
  method: string
  host: string
  port: number
  /** Without the query, which may hold anything. */
  path: string
  scheme: "https" | "http"
}

/** Longest text from an agent or an upstream that an event carries. */
const maxText = 1024

/** What became of a request. */
export interface RequestResult {
  status: number
  /** Bytes to the client, head included, and bytes of body from it. */
  sent: number
  received: number
  /** Places where a secret was starred out. */
  redacted: number
  ms: number
  headers: { request: Headers; response: Headers } | undefined
}

/** Where events leave. Every string passes the redaction set first, and no header value of a credential passes at all. */
export interface Log {
  emit(kind: string, fields: Record<string, unknown>): void
  request(request: RequestLine, result: RequestResult): void
  refused(request: Partial<RequestLine>, refusal: Refusal): void
  /** An error of ours or of an upstream; never fails. */
  error(where: string, error: unknown): void
}

/** Make the log. `emit` is where events go; if it throws, the event is lost and nothing else. */
export function createLog(emit: (event: SidecarEvent) => void, secrets: SecretSet, clock: Clock): Log {
  const log: Log = {
    emit(kind, fields) {
      try {
        emit({ ...secrets.mask(shorten(fields)), time: new Date(clock.now()).toISOString(), kind })
      } catch {
        // An event that cannot be told must not change what is decided.
      }
    },
    request({ method, scheme, host, port, path }, { status, sent, received, redacted, ms, headers }) {
      const line = { method, scheme, host, port, path, status, sent, received, ms: Math.round(ms) }
      const extra = redacted > 0 ? { redacted } : {}
      const seen =
        headers === undefined
          ? {}
          : {
              request_headers: describeHeaders(headers.request),
              response_headers: describeHeaders(headers.response),
            }
      log.emit("request", { ...line, ...extra, ...seen })
    },
    refused({ method, scheme, host, port, path }, refusal) {
      const { remedy: _, ...told } = refusal
      log.emit("refused", { method, scheme, host, port, path, ...told })
    },
    error(where, error) {
      log.emit("error", { where, message: error instanceof Error ? error.message : String(error) })
    },
  }
  return log
}

function shorten(fields: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]) =>
    typeof value === "string" && value.length > maxText ? [key, `${value.slice(0, maxText)}…`] : [key, value],
  )
  return Object.fromEntries(entries) as Record<string, unknown>
}

const speaksOfCredentials = /auth|cookie|token|secret|key|passw|credential|session|signature|jwt/i

/** Header names and values for log level 2: what could be a credential is shown by its length only. */
export function describeHeaders(headers: Headers): string[] {
  return headers.map(([name, value]) => {
    const shown = speaksOfCredentials.test(name) ? `(${value.length} characters)` : value.slice(0, 256)
    return `${name}: ${shown}`
  })
}
