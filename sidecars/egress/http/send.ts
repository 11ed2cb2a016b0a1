import type { Duplex } from "node:stream"
import { ConnectionLost } from "./source.ts"

/**
 * Write, and return a promise only when the other side is slower than we are: await it before writing more. Throws or
 * rejects with ConnectionLost when the stream is gone.
 */
export function send(stream: Duplex, bytes: Buffer | string): Promise<void> | undefined {
  if (stream.destroyed || stream.writableEnded) throw new ConnectionLost("closed")
  const flowing = typeof bytes === "string" ? stream.write(bytes, "latin1") : stream.write(bytes)
  return flowing ? undefined : waitForDrain(stream)
}

function waitForDrain(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      stream.off("drain", onDrain)
      stream.off("close", onClose)
      stream.off("error", onClose)
      act()
    }
    const onDrain = () => settle(resolve)
    const onClose = () => settle(() => reject(new ConnectionLost("closed")))
    stream.on("drain", onDrain)
    stream.on("close", onClose)
    stream.on("error", onClose)
    if (stream.destroyed) onClose()
  })
}
