import type { GuestFile } from "../../sidecars/guest/protocol.ts"
import type { Mount } from "../backends/backend.ts"
import type { Route } from "../policy/types.ts"
import type { HostLogin, Login } from "./host-login.ts"

/**
 * How to drive one agent CLI. A provider is told what the operator wants and says which command, files,
 * environment, mounts and routes that takes; it starts nothing and knows no backend.
 */
export interface Provider {
  readonly template: string
  /** Home-relative folder from which this CLI reads skills, the operator's and inside. Absent: it knows none. */
  readonly skills?: string
  /** How this CLI keeps its login on the host. Absent: none that could be forwarded. */
  readonly hostLogin?: HostLogin
  /** Dockerfile of an image that holds this CLI, for backends that have images. Absent: the operator brings one. */
  readonly dockerfile?: string
  /**
   * Work out the session. Throws `BottleError` (exit 3 for wrong settings, 4 for a CLI that is not on this machine,
   * with the command that installs it).
   */
  prepare(want: ProviderRequest, host: HostLook): Promise<ProviderSession>
}

export interface ProviderRequest {
  /** Where the CLI comes from: the operator's own, shown from this machine, or one that the bottle's image holds. */
  cli: "host" | "image"
  /** Inside paths. */
  home: string
  workspace: string
  /** The bottle's label, for a CLI that shows a name of its session. */
  label: string
  /** One of the 16 ANSI names, for a CLI that can show one. */
  color: string | undefined
  /** The agent file's body. */
  systemPrompt: string
  /** `agent_provider.settings` of the bottle. */
  settings: Readonly<Record<string, unknown>>
  /** Name of the slot that holds the real token; undefined: none declared. */
  authSlot: string | undefined
  /** Set: the slot holds the token of the CLI's own login on the host. */
  login?: { way: Login["way"]; account: string | undefined }
  /** First prompt of a headless session. */
  prompt: string | undefined
  headless: boolean
  /** argv after `--`; only the `command` provider takes any. */
  argv: readonly string[]
  supervise: boolean
  /** Skills the agent names, read from the operator's folders. */
  skills: readonly Skill[]
  /** Inside path of the bottle's CA. */
  ca: string
}

/** A folder with a `SKILL.md`, as it was read on the host. */
export interface Skill {
  name: string
  /** `path` is relative to the skill's folder. */
  files: readonly GuestFile[]
}

/** The little a provider may see of the host: found on PATH, resolved, read. Injected, so tests can pretend. */
export interface HostLook {
  /** Absolute path of a program on the operator's PATH, links resolved, or undefined. */
  which(name: string): string | undefined
  /** Every program of that name on PATH, first found first. */
  whichAll(name: string): readonly string[]
  /** `22.19.0` of what `<program> --version` prints; undefined when it prints none. */
  askVersion(program: string): string | undefined
  exists(path: string): boolean
  /** At most the first `bytes` bytes of a regular file, or undefined when it is not one or cannot be read. */
  readStart(path: string, bytes: number): Uint8Array | undefined
}

export interface ProviderSession {
  argv: string[]
  /** argv for going on with an earlier session, and what to run if that exits at once with nothing to continue. */
  resumeArgv: string[]
  /** Visible to the agent. Placeholders, never a secret. */
  env: Record<string, string>
  files: GuestFile[]
  /** The CLI's own files, read-only. */
  mounts: Mount[]
  /** Directories in front of PATH inside. */
  path: string[]
  /** Routes this CLI needs; united with the bottle's own (SECURITY 13). */
  routes: Route[]
  /** Home-relative directories to snapshot when a session ends. */
  transcripts: string[]
  /**
   * The CLI was not told of supervise although the bottle has it: the command that does it from inside, or in words why
   * nobody knows one. Absent: it was, or it is no CLI that could ask.
   */
  unregistered?: readonly string[] | string
  /** One line for the preflight: CLI and version or path. */
  summary: string
}
