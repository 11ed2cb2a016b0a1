import { safeText } from "../ui/safe-text.ts"

/** Words for the person, on stderr; data never goes through here. */
export interface Log {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** A log that writes one safe line a message; warnings and errors say that they are. */
export function createLog(write: (text: string) => void): Log {
  const line = (prefix: string) => (message: string) => write(`${prefix}${safeText(message)}\n`)
  return { info: line(""), warn: line("warning: "), error: line("error: ") }
}

/** A log that keeps nothing, for code whose caller does not want words. */
export const silentLog: Log = { info() {}, warn() {}, error() {} }
