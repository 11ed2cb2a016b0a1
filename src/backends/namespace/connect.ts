import { closeSync, constants, fstatSync, openSync } from "node:fs"
import { connect, type Socket } from "node:net"

/** Opens a name without acting on what it names: neither a device nor a pipe is touched. */
const openPathOnly = 0x200000

/** Connect to a Unix socket of the host's own. Rejects with the reason. */
export async function connectOutside(path: string): Promise<Socket> {
  return connectTo(openSync(path, openPathOnly | constants.O_NOFOLLOW), path)
}

/**
 * Connect to a Unix socket in the file system of a process that is not trusted. The path is walked from that process'
 * own root name by name, and no link is followed on the way: it could lead back to the host.
 */
export async function connectInside(pid: number, path: string): Promise<Socket> {
  let at = openSync(`/proc/${pid}/root`, openPathOnly | constants.O_DIRECTORY)
  for (const name of path.split("/").filter(Boolean)) {
    const above = at
    try {
      at = openSync(`/proc/self/fd/${above}/${name}`, openPathOnly | constants.O_NOFOLLOW)
    } finally {
      closeSync(above)
    }
  }
  return connectTo(at, path)
}

/** Connect to what an open name stands for; it is closed. What is not a socket is not touched. */
function connectTo(fd: number, path: string): Promise<Socket> {
  try {
    if (!fstatSync(fd).isSocket()) throw Object.assign(new Error(`${path} is not a socket`), { code: "ENOTSOCK" })
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return new Promise((resolve, reject) => {
    const socket = connect(`/proc/self/fd/${fd}`)
    const settle = (act: () => void) => {
      closeSync(fd)
      socket.removeAllListeners()
      act()
    }
    socket.once("connect", () => settle(() => resolve(socket)))
    socket.once("error", (error) => settle(() => reject(error)))
  })
}

/**
 * The same, waiting for a socket that is about to be made: as long as `isThere` holds and the time is not over.
 */
export async function connectWhenReady(
  connectNow: () => Promise<Socket>,
  isThere: () => boolean,
  limitMilliseconds: number,
): Promise<Socket> {
  const limit = performance.now() + limitMilliseconds
  for (let wait = 1; ; wait = Math.min(wait * 1.5, 50)) {
    try {
      return await connectNow()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== "ENOENT" && code !== "ECONNREFUSED") throw error
      if (!isThere()) throw new Error("the other side has ended", { cause: error })
      if (performance.now() > limit) throw error
    }
    await Bun.sleep(wait)
  }
}
