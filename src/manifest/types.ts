import type { DockerChoice, Limits } from "../backends/backend.ts"
import type { Route } from "../policy/types.ts"

/** Where a manifest came from. */
export interface Origin {
  /** Absolute path of the file. */
  path: string
  /** `~/.bot-bottle/…` for the operator's own, `./.bot-bottle/…` for one a repository ships. */
  display: string
  scope: "home" | "repository"
  /** SHA-256 of its bytes, hex. */
  sha256: string
}

/** How a value under `env` is had. The value itself is looked up at launch and never stored. */
export type EnvMode =
  | { kind: "literal"; value: string }
  /** `?` or `?question`: asked without echo. */
  | { kind: "ask"; question: string }
  /** `${NAME}`: taken from the host (BEHAVIOUR 5). */
  | { kind: "host"; name: string }

export interface GitUser {
  name?: string
  email?: string
}

export interface GitRepo {
  url: string
  [key: string]: unknown
}

/** A key that was written but whose feature is not in this build: `start` stops with exit 3 (BEHAVIOUR 2). */
export interface UnbuiltKey {
  /** `bottles/dev.md:7:5` */
  position: string
  /** Dotted path, e.g. `git-gate.repos`. */
  key: string
}

export interface AgentManifest {
  name: string
  origin: Origin
  /** Bottle names it suggests, in merge order. */
  bottles: readonly string[]
  skills: readonly string[]
  gitUser: GitUser
  /** The body. */
  prompt: string
  description?: string
  unbuilt: readonly UnbuiltKey[]
}

export interface ProviderChoice {
  /** `claude`, `codex`, `pi`, `command`, or a name under `contrib/`. Default `command`… unless written. */
  template: string
  /** Absolute path. */
  dockerfile?: string
  /** Slot name of the CLI's real token. */
  auth_token?: string
  forward_host_credentials?: boolean
  settings: Readonly<Record<string, unknown>>
}

/** A bottle with its parents folded in, or several bottles merged: validated, frozen, without a single secret. */
export interface ResolvedBottle {
  /** Merge order. */
  names: readonly string[]
  origins: readonly Origin[]
  env: Readonly<Record<string, EnvMode>>
  provider: ProviderChoice
  egress: {
    /** Canonical hosts; `ca` is still a path here, made absolute. */
    routes: readonly Route[]
    log: 0 | 1 | 2
    upstream_proxy?: string
  }
  pipelock: { allowlist: readonly string[]; dlp: Readonly<Record<string, unknown>> }
  gitGate: { user: GitUser; repos: Readonly<Record<string, GitRepo>> }
  supervise: boolean
  /** Seconds after which a proposal that nobody answered expires; absent: never. */
  expire?: number
  namespace: { binds: readonly { source: string; target: string; readonly: boolean; origin: string }[] }
  docker: DockerChoice
  limits: Limits
  /** Slots that the files declare: token_refs and auth_token. */
  slots: readonly string[]
  unbuilt: readonly UnbuiltKey[]
  /** Lines the operator should see, e.g. an unused `.bot-bottle/bottles` in the working directory. */
  warnings: readonly string[]
}
