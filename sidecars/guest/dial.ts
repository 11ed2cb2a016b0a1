import { encodeChunks, encodeFrame, type Frame, FrameKind } from "../../src/lib/frames.ts"
import type { Session } from "./session.ts"
import { type FlowSocket, WriteQueue } from "./write-queue.ts"

/** Where a server that says "localhost" may listen. */
const loopbacks = ["127.0.0.1", "::1"]

/**
 * Connect to a server of the agent's on the loopback inside and carry the connection: data both ways, `eof` for one that
 * has no more to send. `opened` is called before anything of it is passed on. Rejects when nothing listens there.
 */
export async function dialInside(port: number, out: WriteQueue, opened: () => void): Promise<Session> {
  let refused: unknown
  for (const hostname of loopbacks) {
    try {
      return await dial(hostname, port, out, opened)
    } catch (error) {
      refused = error
    }
  }
  throw refused instanceof Error ? refused : new Error(String(refused))
}

async function dial(hostname: string, port: number, out: WriteQueue, opened: () => void): Promise<Session> {
  const finished = Promise.withResolvers<void>()
  let ended = false
  const end = () => {
    if (!ended) out.write(encodeFrame(FrameKind.eof, ""))
    ended = true
  }
  const queues = { inward: undefined as WriteQueue | undefined }
  const socket = (await Bun.connect({
    hostname,
    port,
    allowHalfOpen: true,
    socket: {
      open(connected) {
        queues.inward = new WriteQueue(connected)
        opened()
      },
      data(connected, chunk) {
        const room = encodeChunks(FrameKind.data, chunk).reduce((free, frame) => out.write(frame) && free, true)
        if (room) return
        ;(connected as FlowSocket<undefined>).pause()
        void out.drained().then(() => (connected as FlowSocket<undefined>).resume())
      },
      drain: () => queues.inward?.flush(),
      end,
      close() {
        queues.inward?.close()
        end()
        finished.resolve()
      },
      error: (connected) => connected.terminate(),
    },
  })) as FlowSocket<undefined>
  return {
    pid: 0,
    async take(frame: Frame) {
      if (frame.kind === FrameKind.data) {
        queues.inward?.write(frame.payload)
        await queues.inward?.drained()
      } else if (frame.kind === FrameKind.eof) queues.inward?.end()
    },
    hangUp: async () => void socket.terminate(),
    finished: finished.promise,
  }
}
