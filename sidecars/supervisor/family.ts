import { chmodSync } from "node:fs"
import { join } from "node:path"
import type { EgressPolicy } from "../../src/policy/types.ts"
import type {
  CallResult,
  FromSupervisor,
  Secrets,
  SidecarCall,
  SidecarEvent,
  SidecarName,
  SidecarStatus,
  SuperviseSettings,
  ToSidecar,
  ToSupervisor,
} from "../control.ts"
import { type Numberless, SidecarChild } from "./child.ts"
import { writeCurrentConfig } from "./current-config.ts"
import { PolicyClock } from "./policy-clock.ts"
import type { ChildPlace } from "./spawn-child.ts"

export type Obeyed = Exclude<ToSupervisor, { type: "written" | "reply" }>

export interface FamilyEvents {
  onState(status: SidecarStatus): void
  onEvent(sidecar: SidecarName, event: SidecarEvent): void
  onCall(sidecar: SidecarName, call: string, request: SidecarCall): void
  onEnd(sidecar: SidecarName): void
}

interface Configured {
  slug: string
  policy: EgressPolicy
  secrets: Secrets
  supervise: SuperviseSettings | undefined
  dockerfile: string | undefined
  memory: unknown
}

/** All sidecars of a bottle and what is in force for them. What fails leaves what was in force. */
export class Family {
  readonly #place: ChildPlace
  readonly #events: FamilyEvents
  readonly #children = new Map<SidecarName, SidecarChild>()
  readonly #egress: SidecarChild
  readonly #clock: PolicyClock
  #configured: Configured | undefined
  #ca: { cert: string; key: string } | undefined

  constructor(place: ChildPlace, events: FamilyEvents) {
    this.#place = place
    this.#events = events
    this.#egress = this.#child("egress")
    if (place.sidecars.includes("supervise")) this.#child("supervise")
    this.#clock = new PolicyClock(async (policy) => {
      const state = this.#configured
      if (state === undefined) return
      // Held first: a sidecar that is down now comes back with it.
      state.policy = policy
      await this.#egress.send({ type: "policy", policy }).then(
        (hash) => this.#egress.noteHash(hash),
        () => undefined,
      )
      this.#publish(state)
    })
  }

  /** Start egress, whose process begins while this one makes the certificate. The others begin when it is configured. */
  async start(): Promise<void> {
    // Each user makes its own socket here, and none can take away another's.
    if (this.#place.isolate === "uid") chmodSync(this.#place.sockets, 0o1777)
    this.#egress.start()
    const { mintCa } = await import("../egress/certificates.ts")
    this.#ca = mintCa("bottle")
  }

  get ca(): string {
    return this.#ca?.cert ?? ""
  }

  get statuses(): SidecarStatus[] {
    return [...this.#children.values()].map((child) => child.status)
  }

  get greeting(): Omit<Extract<FromSupervisor, { type: "hello" }>, "type" | "ca"> {
    const sidecars = this.statuses
    if (this.#configured === undefined) return { configured: false, sidecars }
    const { memory, policy } = this.#configured
    return { configured: true, sidecars, memory, policy, usedOnce: this.#clock.used }
  }

  /** Returns the hash of the policy in force after the message. */
  async obey(message: Obeyed): Promise<string> {
    switch (message.type) {
      case "configure":
        return this.#configure(message)
      case "policy": {
        const state = this.#expectConfigured()
        const policy = this.#clock.current(message.policy)
        const hash = await this.#egress.send({ type: "policy", policy })
        state.policy = this.#clock.current(policy)
        this.#clock.set(message.later ?? [])
        this.#egress.noteHash(hash)
        this.#publish(state)
        return hash
      }
      case "secrets": {
        const state = this.#expectConfigured()
        const hash = await this.#egress.send({ type: "secrets", secrets: message.secrets })
        state.secrets = { ...state.secrets, ...message.secrets }
        return hash
      }
      case "response":
        this.#children.get("supervise")?.post({ type: "response", response: message.response })
        return this.#egress.status.policyHash
      case "drain":
        await this.#drain()
        return this.#egress.status.policyHash
      case "status":
        return this.#egress.status.policyHash
      case "stop":
        for (const child of this.#children.values()) child.stop()
        setImmediate(() => process.exit(0))
        return this.#egress.status.policyHash
    }
  }

  /** The keeper's answer to a call of this sidecar's. */
  reply(sidecar: SidecarName, call: string, result: CallResult): void {
    this.#children.get(sidecar)?.post({ type: "reply", call, result })
  }

  /** One that still begins has nothing to tell, and one that ends meanwhile has told all it will. */
  async #drain(): Promise<void> {
    const up = [...this.#children.values()].filter((child) => child.status.state === "up")
    await Promise.allSettled(up.map((child) => child.send({ type: "drain" })))
  }

  async #configure(message: Extract<Obeyed, { type: "configure" }>): Promise<string> {
    if (this.#configured !== undefined) throw new Error("already configured")
    const { slug, egress, supervise, dockerfile, memory } = message
    const state = { slug, ...egress, supervise, dockerfile, memory }
    this.#configured = state
    try {
      const hash = await this.#egress.configure()
      this.#publish(state)
      // Nothing waits for it: the agent is not there yet, and whoever connects too early is held by the guest.
      if (supervise !== undefined) this.#children.get("supervise")?.start()
      return hash
    } catch (error) {
      this.#configured = undefined
      throw error
    }
  }

  /** What the agent reads is behind what is in force for a moment, and never ahead of it. */
  #publish({ policy, dockerfile }: Configured): void {
    if (this.#place.config === undefined) return
    try {
      writeCurrentConfig(this.#place.config, policy, dockerfile)
    } catch (error) {
      const message = `current-config: ${error instanceof Error ? error.message : String(error)}`
      this.#events.onEvent("egress", { time: new Date().toISOString(), kind: "error", message })
    }
  }

  #take(name: SidecarName, event: SidecarEvent): void {
    if (name === "egress" && event.kind === "once-used") {
      this.#clock.use(String(event.once))
      if (this.#configured !== undefined) this.#configured.policy = this.#clock.current(this.#configured.policy)
    }
    this.#events.onEvent(name, event)
  }

  #expectConfigured(): Configured {
    if (this.#configured === undefined) throw new Error("not configured")
    return this.#configured
  }

  #child(name: "egress" | "supervise"): SidecarChild {
    const child = new SidecarChild({
      name,
      binary: process.execPath,
      place: this.#place,
      current: () => this.#stateFor(name),
      onState: (status) => this.#events.onState(status),
      onEvent: (event) => this.#take(name, event),
      onCall: (call, request) => this.#events.onCall(name, call, request),
      onEnd: () => this.#events.onEnd(name),
    })
    this.#children.set(name, child)
    return child
  }

  /** What brings a fresh process to the state in force: each is told only what it needs. */
  #stateFor(name: "egress" | "supervise"): Numberless<ToSidecar> | undefined {
    const socket = join(this.#place.sockets, `${name}.sock`)
    if (this.#configured === undefined || this.#ca === undefined) return undefined
    const { slug, policy, secrets, supervise } = this.#configured
    if (name === "egress") return { type: "configure", slug, socket, policy, secrets, ca: this.#ca }
    return supervise && { type: "configure", socket, settings: supervise }
  }
}
