import type { Duplex } from "node:stream"

/** Keep a stream that is open already for whoever asks first. One that ends, or says something unasked, is given up. */
export function holdOpen(stream: Duplex): () => Duplex | undefined {
  const giveUp = () => stream.destroy()
  stream.on("data", giveUp).on("end", giveUp).resume()
  return () => {
    stream.pause().off("data", giveUp).off("end", giveUp)
    return stream.destroyed ? undefined : stream
  }
}
