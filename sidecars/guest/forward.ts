import type { SocketHandler, TCPSocketListener } from "bun"
import { type FlowSocket, WriteQueue } from "./write-queue.ts"

/** One of the two sockets of a forwarded connection, and how to reach the other. */
interface Side {
  queue: WriteQueue | null
  peer: FlowSocket<Side> | null
  /** Came before the peer was there. */
  early: Uint8Array[]
  ended: boolean
  closed: boolean
}

const newSide = (): Side => ({ queue: null, peer: null, early: [], ended: false, closed: false })

/** What both sockets do with what they receive: copy it to the other, no faster than that one takes it. */
const copying: SocketHandler<Side> = {
  data(socket, chunk) {
    const { peer } = socket.data
    if (peer === null) socket.data.early.push(chunk.slice())
    else if (peer.data.queue?.write(chunk) === false) (socket as FlowSocket<Side>).pause()
  },
  drain(socket) {
    const { queue, peer } = socket.data
    queue?.flush()
    void queue?.drained().then(() => peer?.resume())
  },
  end(socket) {
    socket.data.ended = true
    socket.data.peer?.data.queue?.end()
  },
  close(socket) {
    const { queue, peer } = socket.data
    socket.data.closed = true
    queue?.close()
    // What the closed side sent last may still wait for the other to take it.
    if (peer !== null) void peer.data.queue?.drained().then(() => peer.end())
  },
  error(socket) {
    socket.terminate()
  },
}

/**
 * Listen on 127.0.0.1:`port` and join each connection to the Unix socket `path`, with half-close and back-pressure
 * both ways. A sidecar that is not there after `patience` ms ends the connection: nothing leaves.
 */
export function forwardPort(port: number, path: string, patience: number = 0): TCPSocketListener<Side> {
  return Bun.listen<Side>({
    hostname: "127.0.0.1",
    port,
    allowHalfOpen: true,
    socket: {
      ...copying,
      open(socket) {
        socket.data = newSide()
        socket.data.queue = new WriteQueue(socket)
        socket.setNoDelay(true)
        ;(socket as FlowSocket<Side>).pause()
        void join(socket as FlowSocket<Side>, path, patience)
      },
    },
  })
}

async function join(inner: FlowSocket<Side>, path: string, patience: number): Promise<void> {
  const side = newSide()
  const outer = await reach(path, side, patience, () => inner.data.closed)
  if (outer === undefined) {
    inner.terminate()
    return
  }
  if (inner.data.closed) {
    outer.terminate()
    return
  }
  side.queue = new WriteQueue(outer)
  side.peer = inner
  inner.data.peer = outer
  for (const chunk of inner.data.early.splice(0)) side.queue.write(chunk)
  for (const chunk of side.early.splice(0)) inner.data.queue?.write(chunk)
  if (inner.data.ended) side.queue.end()
  if (side.ended || side.closed) inner.data.queue?.end()
  inner.resume()
}

/** A connection to the sidecar, tried again until there is one, nobody wants it any more, or the time is up. */
async function reach(
  path: string,
  side: Side,
  patience: number,
  unwanted: () => boolean,
): Promise<FlowSocket<Side> | undefined> {
  const limit = performance.now() + patience
  for (let wait = 2; ; wait = Math.min(wait * 2, 100)) {
    try {
      return (await Bun.connect<Side>({
        unix: path,
        data: side,
        allowHalfOpen: true,
        socket: copying,
      })) as FlowSocket<Side>
    } catch {
      if (unwanted() || performance.now() + wait > limit) return undefined
    }
    await Bun.sleep(wait)
  }
}
