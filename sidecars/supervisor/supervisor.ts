import { chmodSync, rmSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { LineReader, writeLine } from "../../src/lib/lines.ts"
import type { FromSupervisor, ToSupervisor } from "../control.ts"
import { CallBook } from "./call-book.ts"
import { Family, type Obeyed } from "./family.ts"
import type { ChildPlace } from "./spawn-child.ts"
import { EventSpool } from "./spool.ts"

/**
 * The supervisor of one bottle's sidecars: holds the CA's key, the slots' values and the policy in force in memory
 * (SECURITY 20), starts each sidecar with only what it needs, starts it again when it ends, and speaks with the keeper
 * on the control socket. It outlives a keeper; a keeper that comes back is told all it needs in `hello`, and asked
 * again what the last one left unanswered.
 */
export async function startSupervisor(place: ChildPlace): Promise<void> {
  let keeper: Socket | undefined
  const tell = (message: FromSupervisor, who = keeper) => {
    if (who?.writable) writeLine(who, message)
  }
  const spool = new EventSpool()
  const calls = new CallBook((sidecar, call, result) => family.reply(sidecar, call, result))
  const family = new Family(place, {
    onState: (sidecar) => tell({ type: "state", sidecar }),
    onEvent: (sidecar, event) => spool.push(sidecar, event),
    onCall: (sidecar, call, request) => calls.ask(sidecar, call, request),
    onEnd: (sidecar) => calls.forget(sidecar),
  })
  await family.start()

  /** To the keeper that sent it: another one counts its messages anew, and would take this for its own answer. */
  async function answer(message: Obeyed, sender: Socket): Promise<void> {
    try {
      const hash = await family.obey(message)
      if (message.type === "drain") await spool.told()
      tell({ type: "ack", seq: message.seq, hash, sidecars: family.statuses }, sender)
    } catch (error) {
      tell({ type: "nack", seq: message.seq, error: error instanceof Error ? error.message : String(error) }, sender)
    }
  }

  rmSync(place.control, { force: true })
  const server = createServer((socket) => {
    keeper?.destroy()
    keeper = socket
    const reader = new LineReader()
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      if (keeper !== socket) return
      keeper = undefined
      spool.detach()
      calls.detach()
    })
    writeLine(socket, { type: "hello", ca: family.ca, ...family.greeting } satisfies FromSupervisor)
    spool.attach(tell)
    calls.attach(tell)
    let queue = Promise.resolve()
    socket.on("data", (chunk: Buffer) => {
      for (const line of reader.push(chunk)) {
        const message = JSON.parse(line) as ToSupervisor
        if (message.type === "written") spool.confirm(message.through)
        else if (message.type === "reply") calls.answered(message.sidecar, message.call, message.result)
        else queue = queue.then(() => answer(message, socket))
      }
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(place.control, resolve)
  })
  chmodSync(place.control, 0o600)
}
