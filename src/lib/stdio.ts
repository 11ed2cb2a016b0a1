import { writeSync } from "node:fs"
import { isatty } from "node:tty"

/**
 * The three standard descriptors without `process.stdin`, `process.stdout` and `process.stderr`, which cost 9 ms of CPU
 * at first use (Bun 1.4.5, compiled), more than the rest of a small command. Whoever needs raw mode, or a stream to give
 * to a library, still takes those.
 */

export const isTerminal = (fd: 0 | 1 | 2): boolean => isatty(fd)

/** Write all of it, waiting where the reader is slow. Throws as write(2) does: EPIPE when the reader is gone. */
export function writeAll(fd: 1 | 2, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      // A descriptor that somebody else made non-blocking: its reader needs a moment.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
      Bun.sleepSync(1)
    }
  }
}

/** Where bytes go; a promise says to wait before writing more, and rejects when the reader is gone. */
export interface ByteSink {
  write(bytes: Uint8Array): undefined | Promise<unknown>
}

/** A descriptor as a sink that buffers what the reader does not take at once. */
export function byteSink(fd: 1 | 2): ByteSink {
  const writer = Bun.file(fd).writer()
  return {
    write(bytes) {
      writer.write(bytes)
      const flushed = writer.flush()
      return flushed instanceof Promise ? flushed : undefined
    },
  }
}
