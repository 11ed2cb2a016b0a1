import { afterAll, beforeAll } from "bun:test"
import { connect, createServer, type Socket } from "node:net"
import type { TestEngine } from "./engine.ts"

/** An engine whose `host` is a socket of the test's, which passes everything on. */
export interface WiredEngine extends TestEngine {
  /** Break every connection to the engine, as a network does; new ones are made as before. Says how many there were. */
  cut(): number
}

/** Put a wire between an engine and those who use it, for a file's tests. */
export function useWire(engine: TestEngine, enabled: boolean): WiredEngine {
  const [real, host] = [engine.host.slice("unix://".length), `${engine.host}-wire`]
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: real, allowHalfOpen: true })
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      open.add(one)
      one.on("error", () => one.destroy())
      one.on("close", () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  if (enabled) {
    beforeAll(() => new Promise<void>((resolve) => server.listen(host.slice("unix://".length), resolve)))
    afterAll(() => {
      server.close()
      for (const socket of open) socket.destroy()
    })
  }
  return {
    ...engine,
    host,
    cut() {
      const all = [...open]
      for (const socket of all) socket.destroy()
      return all.length
    },
  }
}
