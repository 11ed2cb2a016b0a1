import { randomUUID } from "node:crypto"
import type { ProposalResponse } from "../../src/proposals/types.ts"
import type { CallResult, SidecarCall } from "../control.ts"

/** Decisions kept for whoever is about to wait for them. */
const mostRecent = 64

/**
 * What this sidecar asks of the host, by way of the supervisor: questions with one answer each, and decisions, told
 * once to all that wait for them.
 */
export class HostLink {
  readonly #tell: (call: string, request: SidecarCall) => void
  readonly #asked = new Map<string, (result: CallResult) => void>()
  readonly #waiting = new Map<string, Set<(response: ProposalResponse) => void>>()
  readonly #recent = new Map<string, ProposalResponse>()

  constructor(tell: (call: string, request: SidecarCall) => void) {
    this.#tell = tell
  }

  /** Ask once. Rejects with the signal's reason when nobody waits for the answer any more; the host is told nothing. */
  ask(request: SidecarCall, signal: AbortSignal): Promise<CallResult> {
    const call = randomUUID()
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const settle = (act: () => void) => {
        signal.removeEventListener("abort", stop)
        this.#asked.delete(call)
        act()
      }
      const stop = () => settle(() => reject(signal.reason))
      signal.addEventListener("abort", stop)
      this.#asked.set(call, (result) => settle(() => resolve(result)))
      this.#tell(call, request)
    })
  }

  answered(call: string, result: CallResult): void {
    this.#asked.get(call)?.(result)
  }

  decided(response: ProposalResponse): void {
    const { proposal_id: id } = response
    this.#recent.delete(id)
    this.#recent.set(id, response)
    for (const [oldest] of this.#recent) {
      if (this.#recent.size <= mostRecent) break
      this.#recent.delete(oldest)
    }
    for (const wake of this.#waiting.get(id) ?? []) wake(response)
  }

  /** The decision, or undefined when there is none before the signal. */
  decision(id: string, signal: AbortSignal): Promise<ProposalResponse | undefined> {
    const known = this.#recent.get(id)
    if (known !== undefined || signal.aborted) return Promise.resolve(known)
    return new Promise((resolve) => {
      const waiters = this.#waiting.get(id) ?? new Set()
      this.#waiting.set(id, waiters)
      const settle = (response: ProposalResponse | undefined) => {
        signal.removeEventListener("abort", stop)
        waiters.delete(settle)
        if (waiters.size === 0) this.#waiting.delete(id)
        resolve(response)
      }
      const stop = () => settle(undefined)
      signal.addEventListener("abort", stop)
      waiters.add(settle)
    })
  }

  /** Questions and waits under way. */
  get pending(): number {
    return this.#asked.size + [...this.#waiting.values()].reduce((sum, waiters) => sum + waiters.size, 0)
  }
}
