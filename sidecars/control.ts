import type { EgressPolicy } from "../src/policy/types.ts"
import type { ProposalResponse, ProposalTool } from "../src/proposals/types.ts"

/**
 * The one channel between the keeper and a bottle's sidecars: lines of JSON. The keeper speaks to the supervisor
 * (`bottle sidecar`), the supervisor to each sidecar over that child's stdin and stdout with the same messages.
 * Secrets travel here and nowhere else.
 */

export const sidecarNames = ["egress", "supervise", "git-gate", "forge"] as const
export type SidecarName = (typeof sidecarNames)[number]

/** Slot name to secret value. Lives in memory only. */
export type Secrets = Record<string, string>

/** Keeper to supervisor. `seq` is echoed by the acknowledgement. */
export type ToSupervisor =
  | {
      type: "configure"
      seq: number
      slug: string
      egress: { policy: EgressPolicy; secrets: Secrets }
      /** Absent where the bottle has no supervise. */
      supervise?: SuperviseSettings
      /** The Dockerfile that the agent's image was made from, for current-config; absent where there is none. */
      dockerfile?: string
      /** What a keeper that takes over must know and what may not be on disk; handed back in `hello`, unread. */
      memory: unknown
    }
  /** `later` are policies that take its place by themselves at their time, keeper or not: what is permitted for a while. */
  | { type: "policy"; seq: number; policy: EgressPolicy; later?: readonly LaterPolicy[] }
  | { type: "secrets"; seq: number; sidecar: SidecarName; secrets: Secrets }
  | { type: "status"; seq: number }
  /** Acknowledged behind everything that a sidecar has told before it answered this. */
  | { type: "drain"; seq: number }
  /** The answer to a sidecar's `call`. Not acknowledged. */
  | { type: "reply"; seq: number; sidecar: SidecarName; call: string; result: CallResult }
  /** A proposal is decided: whoever waits for it is told. */
  | { type: "response"; seq: number; response: ProposalResponse }
  /** Every event up to number `through` is on disk. Not acknowledged. */
  | { type: "written"; seq: number; through: number }
  | { type: "stop"; seq: number }

/** `at` is ISO 8601. */
export interface LaterPolicy {
  at: string
  policy: EgressPolicy
}

export interface SidecarStatus {
  name: SidecarName
  state: "starting" | "up" | "restarting"
  pid: number
  restarts: number
  /** Hash of the policy in force (`hashPolicy`), "" before the first. */
  policyHash: string
}

export type FromSupervisor =
  /**
   * First line on every connection. `ca` is the bottle's certificate in PEM; `configured` false: it waits for `configure`;
   * `policy` is the one in force, `usedOnce` the rules for one request that were used up.
   */
  | {
      type: "hello"
      ca: string
      configured: boolean
      sidecars: SidecarStatus[]
      memory?: unknown
      policy?: EgressPolicy
      usedOnce?: readonly string[]
    }
  | { type: "ack"; seq: number; hash: string; sidecars?: SidecarStatus[] }
  | { type: "nack"; seq: number; error: string }
  | { type: "state"; sidecar: SidecarStatus }
  /** Kept, and sent again to another keeper, until `written` names its number. */
  | { type: "event"; sidecar: SidecarName; event: SidecarEvent; n: number }
  /** A sidecar asks the keeper; sent again to another keeper until there is a `reply` with its `call`. */
  | { type: "call"; sidecar: SidecarName; call: string; request: SidecarCall }

/** What supervise asks of the keeper, already validated; the keeper trusts none of it and checks again. */
export type SidecarCall =
  | { op: "propose"; tool: ProposalTool; proposed_file: string; justification: string }
  | { op: "proposal-status"; id: string }
  | { op: "list-egress-routes" }

export type CallResult =
  /** Taken, or joined to an identical open one. */
  | { kind: "pending"; id: string }
  | { kind: "decided"; response: ProposalResponse }
  /** In the words that the agent reads. */
  | { kind: "refused"; message: string }
  | { kind: "routes"; text: string }

/** What the host keeps of a sidecar's doings: becomes a log line, a count, an audit entry. Never holds a secret. */
export interface SidecarEvent {
  /** ISO 8601. */
  time: string
  /** `request`, `refused`, `error`, `tunnel-cut`, … */
  kind: string
  [key: string]: unknown
}

/** What the supervise sidecar is told once. */
export interface SuperviseSettings {
  /** Build arguments of the agent's image, where there is one to change: then there is `capability-block`. */
  image: { args: Readonly<Record<string, string>> } | null
  /** Seconds after which a call that waits for the operator is answered with `pending`. */
  wait: number
}

/** Supervisor to egress, on its stdin. */
export type ToEgress =
  | {
      type: "configure"
      seq: number
      slug: string
      socket: string
      policy: EgressPolicy
      secrets: Secrets
      ca: { cert: string; key: string }
    }
  | { type: "policy"; seq: number; policy: EgressPolicy }
  | { type: "secrets"; seq: number; secrets: Secrets }
  | { type: "drain"; seq: number }

/** Supervisor to supervise, on its stdin. Only `configure` and `drain` are acknowledged. */
export type ToSupervise =
  | { type: "configure"; seq: number; socket: string; settings: SuperviseSettings }
  | { type: "drain"; seq: number }
  | { type: "reply"; seq: number; call: string; result: CallResult }
  | { type: "response"; seq: number; response: ProposalResponse }

/** Supervisor to one sidecar, on its stdin. */
export type ToSidecar = ToEgress | ToSupervise

/** One sidecar to the supervisor, on its stdout. */
export type FromSidecar =
  | { type: "ack"; seq: number; hash: string }
  | { type: "nack"; seq: number; error: string }
  | { type: "event"; event: SidecarEvent }
  /** `call` is the sidecar's own name for it. */
  | { type: "call"; call: string; request: SidecarCall }

/** What a measuring program is asked on stdin, a line each: the free space of the trees' file system, or what the trees take. */
export type MeasureRequest = "free" | "measure"

/** Its answer on stdout, a line each. */
export interface MeasureAnswer {
  /** Bytes that are free. */
  free: number
  /** Bytes that the trees take, each hard-linked file once; for `measure`. */
  bytes?: number
  /** Something could not be looked at: more than `bytes` is there. */
  complete?: boolean
}
