import type { Duplex } from "node:stream"
import { type Engine, engineSaid } from "./engine.ts"
import { insideBin } from "./image/relocate.ts"
import { openExec, type ProgramStream } from "./program-stream.ts"

/** What a relay says first, once it is connected: `relayReady` of the sidecars. */
const ready = "+".charCodeAt(0)

/**
 * A stream to a Unix socket inside a container, by a relay that is started there and that waits for the socket.
 * Rejects with the relay's own reason, or the engine's.
 */
export async function connectInside(engine: Engine, container: string, user: string, socket: string): Promise<Duplex> {
  const argv = [`${insideBin}/bottle`, "sidecar", "--relay", socket]
  let stream: ProgramStream
  try {
    stream = await openExec(engine, { container, user, argv })
  } catch (error) {
    throw new Error(engineSaid(error), { cause: error })
  }
  return untilReady(stream)
}

/** The stream once the program at the other end says that it is joined to its socket. Rejects with its own reason. */
export function untilReady(stream: ProgramStream): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      stream.destroy()
      reject(new Error(stream.complaint || "the relay ended without a word"))
    }
    const look = () => {
      const first = stream.read(1) as Buffer | null
      if (first === null) return
      stream.off("readable", look).off("end", fail).off("close", fail).off("error", fail)
      if (first[0] === ready) resolve(stream)
      else fail()
    }
    stream.on("readable", look).on("end", fail).on("close", fail).on("error", fail)
  })
}
