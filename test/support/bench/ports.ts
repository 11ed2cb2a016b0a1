import { connect } from "node:net"
import { waitFor } from "../wait.ts"
import type { Program } from "./program.ts"

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })
  const { port } = server
  server.stop(true)
  return port
}

/** Wait until a program accepts connections; throws with its words when it ends before. */
export async function waitForPort(port: number, program: Program): Promise<void> {
  await waitFor(
    `a listener on port ${port}`,
    async () => {
      if (!program.alive()) throw new Error(`ended at once: ${program.words()}`)
      return await accepts(port)
    },
    20_000,
  )
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port })
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })
}
