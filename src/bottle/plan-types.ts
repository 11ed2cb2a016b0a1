import type { GuestFile } from "../../sidecars/guest/protocol.ts"
import type { BackendName, DockerChoice, Limits, Mount } from "../backends/backend.ts"
import type { AgentManifest, EnvMode, ResolvedBottle } from "../manifest/types.ts"
import type { EgressPolicy } from "../policy/types.ts"

/** What `start` was asked to do, from argv, a popup or the API. */
export interface StartWish {
  agent: string | undefined
  /** In merge order; empty: the agent's own. */
  bottles: readonly string[]
  label: string | undefined
  color: string | undefined
  backend: BackendName | undefined
  copyCwd: boolean
  cwd: string
  headless: boolean
  prompt: string | undefined
  argv: readonly string[]
  discard: boolean
  /** A program started it and holds its slug: the state stays until that destroys it. */
  keep: boolean
}

/** The wish with its manifests read and merged. */
export interface BottleSpec {
  wish: StartWish
  agent: AgentManifest | undefined
  bottle: ResolvedBottle
}

/**
 * What will be made: names, mounts, environment names, policy. A value; making it creates nothing. It is printed as
 * the preflight and kept as `state/<slug>/plan.json`, so it holds no environment value and no secret (SECURITY 18).
 */
export interface Plan {
  schemaVersion: 1
  slug: string
  label: string
  color?: string
  agent: { name: string; origin?: { display: string; sha256: string; scope: "home" | "repository" } }
  /** Skills of the operator's that are copied in. */
  skills: readonly string[]
  bottles: readonly string[]
  backend: { name: BackendName; detail: string }
  provider: { template: string; summary: string }
  headless: boolean
  /** What the operator gave after `--`. */
  argv: readonly string[]
  cwd: string
  copyCwd: boolean
  /** Inside paths and user. */
  home: string
  workspace: string
  user: string
  env: readonly { name: string; mode: EnvMode["kind"] | "provider" | "bottle" }[]
  policy: EgressPolicy
  /** The login of the host's that a sidecar uses: whose, in which file, under which slot. */
  login?: { template: string; file: string; slot: string }
  /** Slots whose values the sidecars need. */
  slots: readonly string[]
  git: { name?: string; email?: string }
  mounts: readonly Mount[]
  /** Only on the docker backend. */
  docker?: DockerChoice
  ports: Readonly<Record<number, string>>
  sidecars: readonly string[]
  limits: Limits
  /** Limits that this machine cannot enforce, in words. */
  unenforced: readonly string[]
  supervise: string
  /** Seconds after which a proposal that nobody answered expires; absent: never. */
  expire?: number
  discard: boolean
  keep: boolean
  /** Home-relative directories that are snapshotted at the end of a session. */
  transcripts: readonly string[]
  warnings: readonly string[]
}

/**
 * The part of a launch that may not be on disk: travels CLI to keeper over a pipe, keeper to supervisor over the
 * control channel, and to the guest over its socket.
 */
export interface LaunchMemory {
  argv: string[]
  resumeArgv: string[]
  /** The agent's environment, complete. */
  env: Record<string, string>
  files: GuestFile[]
}

export interface LaunchSecrets {
  /** Slot name to value. For the sidecars only. */
  slots: Record<string, string>
}
