import type { FromSupervisor, SidecarEvent, SidecarName } from "../control.ts"

/** Events kept for a keeper that has not said it wrote them down: their number, and their bytes as JSON. */
const most = { events: 20_000, bytes: 16 * 1024 ** 2 }
/** Bytes sent and not yet confirmed, so that a keeper that does not read costs no more memory than the spool. */
const mostInFlight = 1024 ** 2

interface Kept {
  n: number
  bytes: number
  sidecar: SidecarName
  event: SidecarEvent
}

/**
 * Events on their way to the keeper. Each is kept until the keeper has it on disk, so that neither a killed keeper nor
 * the time without one loses any; a new keeper gets again what the last one did not confirm. What does not fit is
 * dropped newest first and counted, and the count is an event itself.
 */
export class EventSpool {
  #kept: Kept[] = []
  #bytes = 0
  #next = 1
  #sent = 0
  #inFlight = 0
  #lost = 0
  #told: { through: number; resolve(): void }[] = []
  #send: ((message: FromSupervisor) => void) | undefined

  push(sidecar: SidecarName, event: SidecarEvent): void {
    const bytes = JSON.stringify(event).length
    if (this.#kept.length >= most.events || this.#bytes + bytes > most.bytes) {
      this.#lost += 1
      return
    }
    this.#keep(sidecar, event, bytes)
    this.#pump()
  }

  /** A keeper is there: send what none has confirmed, then what comes. */
  attach(send: (message: FromSupervisor) => void): void {
    this.#send = send
    this.#sent = 0
    this.#inFlight = 0
    this.#pump()
  }

  detach(): void {
    this.#send = undefined
  }

  /** The keeper has everything up to this number on disk. */
  confirm(through: number): void {
    const left = this.#kept.findIndex((kept) => kept.n > through)
    const confirmed = this.#kept.splice(0, left === -1 ? this.#kept.length : left)
    const bytes = confirmed.reduce((sum, kept) => sum + kept.bytes, 0)
    this.#bytes -= bytes
    this.#inFlight -= bytes
    this.#sent -= confirmed.length
    if (this.#lost > 0 && this.#kept.length < most.events / 2) {
      const event = { time: new Date().toISOString(), kind: "events-lost", count: this.#lost }
      this.#lost = 0
      this.#keep("egress", event, 100)
    }
    this.#pump()
  }

  /** Resolves when everything pushed so far was sent to the keeper that is there. */
  told(): Promise<void> {
    return new Promise((resolve) => {
      this.#told.push({ through: this.#next - 1, resolve })
      this.#pump()
    })
  }

  #keep(sidecar: SidecarName, event: SidecarEvent, bytes: number): void {
    this.#kept.push({ n: this.#next++, bytes, sidecar, event })
    this.#bytes += bytes
  }

  #pump(): void {
    while (this.#send !== undefined && this.#inFlight < mostInFlight) {
      const next = this.#kept[this.#sent]
      if (next === undefined) break
      this.#sent += 1
      this.#inFlight += next.bytes
      this.#send({ type: "event", sidecar: next.sidecar, event: next.event, n: next.n })
    }
    if (this.#told.length === 0) return
    // Number of the first that is not on its way; without a keeper none is.
    const unsent = this.#send === undefined ? 0 : (this.#kept[this.#sent]?.n ?? this.#next)
    for (const { resolve } of this.#told.filter(({ through }) => through < unsent)) resolve()
    this.#told = this.#told.filter(({ through }) => through >= unsent)
  }
}
