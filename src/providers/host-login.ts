/**
 * How a CLI keeps its login on the host. Pure: what is read and what is written are texts; who owns the file, the lock
 * and the connection is `src/bottle/login`.
 */
export interface HostLogin {
  /** The command that logs in anew. */
  readonly command: string
  /** Absolute path of the file, by the CLI's own rules. */
  file(env: Readonly<Record<string, string | undefined>>, home: string): string
  read(text: string): LoginRead
  /** What renews it. The address is fixed: a refresh token goes nowhere else. */
  renewal(text: string, refreshToken: string): { url: string; body: Readonly<Record<string, string>> }
  /** The file with what the endpoint answered put in; undefined: that was no token. */
  renewed(text: string, answer: unknown, now: Date): string | undefined
  /** A directory beside the file that the CLI makes while it renews, and takes for left behind after so many ms. */
  readonly ownLock?: { name: string; stale: number }
}

export interface Login {
  /** The token that requests carry. */
  token: string
  /** Absent: it is good as long as it is there. */
  refreshToken?: string
  /** When the token ends, ms since 1970. Absent: unknown, or never. */
  expires?: number
  /** How long it was good from its beginning, in ms. */
  lifetime?: number
  /** Which of the CLI's ways to log in. */
  way: "subscription" | "api-key"
  /** Which account it is; no secret. */
  account?: string
}

export type LoginRead = { kind: "login"; login: Login } | { kind: "none"; why: string }

/** Text that a header may carry, or undefined. */
export function tokenText(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]{8,16384}$/.test(value) ? value : undefined
}

/** The object a text holds, or undefined. */
export function readObject(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
