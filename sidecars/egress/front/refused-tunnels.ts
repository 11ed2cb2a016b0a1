import type { Denial } from "../../../src/policy/types.ts"
import { fenceProofHost } from "../../guest/protocol.ts"
import type { Clock } from "../log.ts"

/** Tunnels to refused hosts at once, and how many a second after that: more than any client's retries. */
const burst = 50
const perSecond = 10

/**
 * Which refused CONNECTs get a tunnel all the same, in which every request is refused: of a refused CONNECT clients
 * show the status alone (curl: "CONNECT tunnel failed, response 403"), of a refused request the words that name the
 * remedy. Nothing is resolved or dialled for it. Each costs a certificate and a handshake, so there is a rate; above
 * it the CONNECT itself is refused.
 */
export class RefusedTunnels {
  #left = burst
  #at = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether to open one more. */
  admits({ reason }: Denial, host: string, port: number): boolean {
    // Another port may speak anything. The fence proof has no TLS: it reads the answer to its CONNECT.
    if (reason !== "unlisted-host" || port !== 443 || host === fenceProofHost) return false
    const now = this.#clock.now()
    this.#left = Math.min(burst, this.#left + (Math.max(0, now - this.#at) / 1000) * perSecond)
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
