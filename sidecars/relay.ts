import { connect, type Socket } from "node:net"

/** What a relay says, before anything else, once it is connected. */
export const relayReady = "+"
const readyMilliseconds = 30_000

/**
 * `bottle sidecar --relay PATH`: joins its stdin and stdout to a Unix socket. A backend that reaches its boundaries only
 * by starting programs in them has its streams that way. Waits for a socket that is about to be made; ends with code 1
 * and a reason when none answers.
 */
export async function runRelay(path: string): Promise<void> {
  process.on("SIGPIPE", () => undefined)
  const socket = await connectWhenReady(path)
  process.stdout.write(relayReady)
  const leave = () => process.exit(0)
  process.stdout.on("error", leave)
  socket.on("error", leave)
  socket.on("end", () => process.stdout.end(leave))
  socket.pipe(process.stdout, { end: false })
  process.stdin.pipe(socket)
  process.stdin.on("error", leave)
  socket.on("close", leave)
}

/**
 * Join the stdin and stdout that this process was started with to the socket at which it serves itself: a connection that costs
 * no program. Its end, on either side, ends nothing else.
 */
export async function joinOwn(path: string): Promise<void> {
  const socket = await connectWhenReady(path)
  process.stdout.write(relayReady)
  const leave = () => socket.destroy()
  for (const stream of [socket, process.stdin, process.stdout]) stream.on("error", leave)
  socket.pipe(process.stdout, { end: false })
  process.stdin.pipe(socket)
}

async function connectWhenReady(path: string): Promise<Socket> {
  const limit = performance.now() + readyMilliseconds
  for (let wait = 1; ; wait = Math.min(wait * 1.5, 50)) {
    try {
      return await connectOnce(path)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      const isComing = code === "ENOENT" || code === "ECONNREFUSED"
      if (!isComing || performance.now() > limit) throw new Error(`relay: ${path}: ${code}`, { cause: error })
    }
    await Bun.sleep(wait)
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true })
    socket.once("connect", () => {
      socket.removeAllListeners("error")
      resolve(socket)
    })
    socket.once("error", reject)
  })
}
