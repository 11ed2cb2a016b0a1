import type { CallResult, FromSupervisor, SidecarCall, SidecarName } from "../control.ts"

/** Calls that wait for a keeper. A sidecar that has more at a time is refused at once, and costs no memory. */
const mostOpen = 256

interface OpenCall {
  sidecar: SidecarName
  call: string
  request: SidecarCall
}

/**
 * What sidecars ask the keeper, until it is answered: so that a keeper's death loses no proposal, a new one is asked
 * again what the last one left open.
 */
export class CallBook {
  readonly #open = new Map<string, OpenCall>()
  readonly #answer: (sidecar: SidecarName, call: string, result: CallResult) => void
  #send: ((message: FromSupervisor) => void) | undefined

  constructor(answer: (sidecar: SidecarName, call: string, result: CallResult) => void) {
    this.#answer = answer
  }

  ask(sidecar: SidecarName, call: string, request: SidecarCall): void {
    if (this.#open.size >= mostOpen) {
      this.#answer(sidecar, call, { kind: "refused", message: "Too many requests wait for the host. Try again later." })
      return
    }
    const open = { sidecar, call, request }
    this.#open.set(keyOf(sidecar, call), open)
    this.#send?.({ type: "call", ...open })
  }

  /** The keeper answered. An answer to what nobody asked is dropped. */
  answered(sidecar: SidecarName, call: string, result: CallResult): void {
    if (this.#open.delete(keyOf(sidecar, call))) this.#answer(sidecar, call, result)
  }

  /** Its process ended, and whoever waited in it. */
  forget(sidecar: SidecarName): void {
    for (const [key, open] of this.#open) if (open.sidecar === sidecar) this.#open.delete(key)
  }

  attach(send: (message: FromSupervisor) => void): void {
    this.#send = send
    for (const open of this.#open.values()) send({ type: "call", ...open })
  }

  detach(): void {
    this.#send = undefined
  }
}

const keyOf = (sidecar: SidecarName, call: string): string => `${sidecar} ${call}`
