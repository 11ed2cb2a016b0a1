import { describe, expect, test } from "bun:test"
import { createServer } from "node:net"
import { join } from "node:path"
import { root, run } from "../support/command.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"

/**
 * Whoever takes the supervise sidecar over from inside has no network by it, on either backend: not by a socket, not by
 * a program, not by egress' socket, which lies beside its own.
 */
describe.skipIf(!requirePart("binary"))("a process that gave up the network", () => {
  test("listens on its socket, and neither connects, nor starts a program, nor looks into another", async () => {
    const dir = tempDir("no-network")
    const egress = join(dir, "egress.sock")
    const served: string[] = []
    const server = createServer((socket) => {
      served.push("a connection")
      socket.end()
    })
    await new Promise<void>((resolve) => server.listen(egress, resolve))
    const script = `
      import { forbidNetwork } from ${JSON.stringify(join(root, "sidecars/supervise/no-network.ts"))}
      import { openLibc } from ${JSON.stringify(join(root, "sidecars/guest/libc.ts"))}
      import { connect, createServer } from "node:net"
      const attempt = (where) => new Promise((resolve) => {
        try { connect(where).on("error", () => resolve("refused")).on("connect", () => resolve("CONNECTED")) } catch { resolve("refused") }
      })
      const libc = openLibc()
      forbidNetwork()
      const seen = {}
      seen.unix = await attempt(${JSON.stringify(egress)})
      seen.tcp = await attempt({ host: "127.0.0.1", port: 1 })
      for (const [name, family] of [["inet", 2], ["inet6", 10], ["netlink", 16], ["packet", 17], ["vsock", 40]]) seen[name] = libc.socket(family, 1, 0)
      try { Bun.spawnSync(["true"], { env: {} }); seen.spawn = "STARTED" } catch { seen.spawn = "refused" }
      seen.unshare = libc.unshare(0x10000000)
      seen.listens = await new Promise((resolve) => createServer().listen(${JSON.stringify(join(dir, "own.sock"))}, () => resolve("yes")).on("error", () => resolve("no")))
      console.log(JSON.stringify(seen))
      process.exit(0)`
    const result = await run([process.execPath, "-e", script])
    server.close()
    expect([result.code, result.stderr]).toEqual([0, ""])
    expect(JSON.parse(result.stdout)).toEqual({
      ...{ unix: "refused", tcp: "refused", inet: -97, inet6: -97, netlink: -97, packet: -97, vsock: -97 },
      ...{ spawn: "refused", unshare: -1, listens: "yes" },
    })
    expect(served).toEqual([])
  })
})
