import type { AuditFact, AuditLog } from "../../../audit/types.ts"
import type { Disk } from "../../../lib/disk.ts"
import type { EgressPolicy } from "../../../policy/types.ts"
import type { Grant } from "../../../proposals/grants.ts"
import type { StoredResponse } from "../../../proposals/queue/files.ts"
import type { Queue } from "../../../proposals/queue/queue.ts"
import type { ProposalResponse } from "../../../proposals/types.ts"
import type { BottleImage, ImageStep } from "./image/bottle-image.ts"

/** What the running sidecars are told; each rejects with the reason when it is not so. */
export interface Channel {
  /** Resolves with the hash that is in force then. */
  policy(policy: EgressPolicy, later: { at: string; policy: EgressPolicy }[]): Promise<string>
  secrets(values: Readonly<Record<string, string>>): Promise<void>
  /** Whoever waits for the proposal is told. */
  respond(response: ProposalResponse): Promise<void>
}

/** What was in force when this keeper came: from the supervisor's greeting; undefined: no sidecar is left. */
export interface InForce {
  policy: EgressPolicy
  usedOnce: readonly string[]
}

export interface DeciderDeps {
  slug: string
  /** The policy that the bottle was launched with. */
  base: EgressPolicy
  queue: Queue
  /** `state/<slug>`. */
  stateDir: string
  disk: Disk
  image: BottleImage
  audit: AuditLog
  /** The audit's file, in which a decision that was cut short is looked for. */
  auditFile: string
  channel(): Channel | undefined
  now(): Date
  log(text: string): void
}

/** A change that is decided: what it makes of the grants, what is recorded, and what the agent is told. */
export interface Resolution {
  decision: string
  grants?: readonly Grant[]
  image?: ImageStep
  fact: AuditFact
  response?: StoredResponse
  secrets?: Readonly<Record<string, string>>
}

export type CarriedOut = { kind: "done"; seq: number } | { kind: "failed"; why: string }
