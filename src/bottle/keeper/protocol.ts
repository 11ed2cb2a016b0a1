import type { SidecarStatus } from "../../../sidecars/control.ts"
import type { PtySize } from "../../../sidecars/guest/protocol.ts"
import type { Probe } from "../../backends/backend.ts"
import type { LaunchMemory, LaunchSecrets, Plan } from "../plan-types.ts"
import type { Frozen } from "./freezing/freeze.ts"
import type { ProposalAnswer, ProposalRequest } from "./proposals/wire.ts"

/** What a command tells the keeper it starts, as one line on its stdin. The pipe closing before `ready` cancels the launch. */
export interface KeeperOrder {
  plan: Plan
  memory: LaunchMemory
  secrets: LaunchSecrets
  /** An earlier launch's state directory is used again. */
  resume: boolean
}

/** What the keeper tells whoever started it, lines on its stdout, until `ready` or `failed`. */
export type KeeperReport =
  | { event: "step"; text: string }
  | { event: "ready"; probes: Probe[]; milliseconds: number }
  | { event: "failed"; code: string; message: string; hint?: string; exitCode: number; probes?: Probe[] }

/** States of a bottle (BEHAVIOUR 3). */
export type BottleState = "starting" | "running" | "idle" | "stopped" | "frozen" | "closed"

export interface KeeperStatus {
  slug: string
  state: BottleState
  /** A sidecar is down or coming back: nothing leaves meanwhile. */
  degraded: boolean
  sidecars: SidecarStatus[]
  probes: Probe[]
  /** Refusals since launch. */
  refused: number
  startedAt: string
  pid: number
  /** How the host's login is that this bottle uses. */
  login?: string
}

/** One line on the keeper's socket, then for `attach`, `exec` and `forward` frames (src/lib/frames.ts) both ways. */
export type KeeperRequest =
  | { op: "status" }
  | { op: "attach"; pty: PtySize | null; term: string; stdin: boolean }
  /** One connection to a server of the agent's. */
  | { op: "forward"; port: number }
  | { op: "exec"; argv: string[]; pty: PtySize | null; term: string; stdin: boolean }
  | { op: "stop"; how: "stop" | "destroy" }
  | { op: "freeze" }
  | ProposalRequest

export type KeeperAnswer =
  | ({ ok: true; status?: KeeperStatus; settled?: Settled; frozen?: Frozen } & ProposalAnswer)
  | { ok: false; code: string; error: string; hint?: string }

/** How a bottle ended, the last `note` frame of an attach and the answer to `stop`. */
export interface Settled {
  kept: boolean
  /** Why the state was kept; empty when it was removed. */
  reasons: string[]
  warnings: string[]
}
