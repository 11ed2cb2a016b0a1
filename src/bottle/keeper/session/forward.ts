import type { Duplex } from "node:stream"
import { isReservedPort } from "../../../../sidecars/guest/protocol.ts"
import type { RunningBottle } from "../../../backends/backend.ts"
import { BottleError } from "../../../lib/errors.ts"
import { writeLine } from "../../../lib/lines.ts"
import type { KeeperAnswer } from "../protocol.ts"
import { askGuest } from "./guest-client.ts"

/**
 * Join a client to a server of the agent's that listens on the loopback inside, for one connection: frames both ways, as
 * the guest sends them. The ports that lead to the sidecars are not the agent's, and are refused.
 */
export async function forwardConnection(bottle: RunningBottle, port: number, client: Duplex): Promise<void> {
  if (isReservedPort(port)) {
    throw new BottleError(`port ${port} leads to a sidecar, not to the agent`, {
      code: "reserved-port",
      exit: "denied",
    })
  }
  const guest = await bottle.connectGuest()
  try {
    await askGuest(guest, { op: "dial", port })
  } catch (error) {
    guest.destroy()
    throw new BottleError(`nothing answers on port ${port} inside`, {
      code: "nothing-listens",
      exit: "failed",
      cause: error,
    })
  }
  writeLine(client, { ok: true } satisfies KeeperAnswer)
  const end = () => {
    guest.destroy()
    client.destroy()
  }
  for (const side of [guest, client]) side.on("error", end).on("close", end)
  // It may have gone while the guest was asked.
  if (client.destroyed) return end()
  guest.pipe(client)
  client.pipe(guest)
}
