import type { CallResult, SidecarCall, SidecarEvent, SidecarName, SidecarStatus } from "../../../../sidecars/control.ts"
import { RefusalCounts } from "../auditing/refusal-counts.ts"
import type { SidecarCalls } from "./calls.ts"
import type { ControlLinkEvents } from "./control-link.ts"
import type { Journal } from "./journal.ts"

/** Lines at the end of the egress log among which one that the supervisor sends again is looked for. */
const rememberedLines = 10_000

/** What the keeper knows of its sidecars: how they are, and everything they said, written down. */
export class SidecarBook implements ControlLinkEvents {
  readonly #journal: Journal
  readonly #calls: SidecarCalls
  readonly #statuses = new Map<SidecarName, SidecarStatus>()
  readonly #written: Set<string>
  /** Number of the last event that this keeper has written. */
  #taken = 0
  readonly refusals = new RefusalCounts()
  /** Called when anything of `seen` may be another. */
  onChange: () => void = () => undefined

  /** `log`: the egress log so far; it is what a resumed bottle and a new keeper count from. */
  constructor(journal: Journal, log: string, calls: SidecarCalls) {
    this.#journal = journal
    this.#calls = calls
    const lines = log.split("\n")
    for (const line of lines) this.refusals.addLine(line)
    this.#written = new Set(lines.slice(-rememberedLines))
  }

  /** How the host's login is that this bottle uses; undefined: it uses none. */
  login: string | undefined
  /** Refusals since the first launch; those of the fence proof do not count. */
  get refused(): number {
    return this.refusals.total
  }

  get statuses(): SidecarStatus[] {
    return [...this.#statuses.values()]
  }

  /** Egress is down or coming back: nothing leaves meanwhile. Without supervise the agent can only not ask. */
  get degraded(): boolean {
    const egress = this.#statuses.get("egress")
    return egress !== undefined && egress.state !== "up"
  }

  noteLogin(condition: string): void {
    if (condition !== this.login) this.#journal.log("sidecars", `login: ${condition}`)
    this.login = condition
  }

  /** The part of a bottle's status that is known here. */
  get seen(): { degraded: boolean; sidecars: SidecarStatus[]; refused: number; login?: string } {
    const { degraded, statuses: sidecars, refused, login } = this
    return { degraded, sidecars, refused, ...(login === undefined ? {} : { login }) }
  }

  take(statuses: readonly SidecarStatus[]): void {
    for (const status of statuses) this.#statuses.set(status.name, status)
    this.#changed()
  }

  onState(status: SidecarStatus): void {
    this.#statuses.set(status.name, status)
    this.#journal.log("sidecars", `${status.name}: ${status.state} pid ${status.pid} restarts ${status.restarts}`)
    this.#changed()
  }

  onEvent(sidecar: SidecarName, event: SidecarEvent, n: number): void {
    // Sent again over a new stream: the old one broke before the supervisor heard that it is written.
    if (n <= this.#taken) return
    this.#taken = n
    const line = JSON.stringify({ sidecar, ...event })
    // A supervisor whose keeper died sends again what that one may have written already.
    if (this.#written.delete(line)) return
    const refused = this.refusals.add(event)
    this.#journal.egress(line, refused)
    if (refused) this.onChange()
    this.#calls.onTold?.(event)
  }

  onCall(sidecar: SidecarName, request: SidecarCall): Promise<CallResult> {
    return this.#calls.onCall(sidecar, request)
  }

  onClose(): void {
    for (const status of this.#statuses.values()) status.state = "restarting"
    this.#changed()
  }

  #changed(): void {
    this.#calls.onHealth?.(this.degraded)
    this.onChange()
  }
}
