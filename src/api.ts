import { askBinary, type HostOptions } from "./api/ask-binary.ts"
import { BottleError } from "./lib/errors.ts"

export type { HostOptions } from "./api/ask-binary.ts"
export { BottleError }

/**
 * Bottles from a program (BEHAVIOUR 11). Every call runs the compiled `bottle` beside the caller and speaks with it over
 * pipes: nothing is printed, no process but that one ends, nothing is kept between calls. What goes wrong rejects with a
 * `BottleError`: an agent that exits with another code than 0 with that code, everything else with exitCode 1.
 */

export type BackendName = "namespace" | "docker" | "smolmachines" | "macos-container" | "qemu"

/** Called with what the agent writes, as it comes. Without it the output is dropped. */
export type OutputListener = (chunk: Uint8Array, stream: "stdout" | "stderr") => void

export interface SessionOptions extends HostOptions {
  /** What the agent is asked. */
  prompt?: string
  /** Where it runs. Default: as `bottle start` chooses, or for a resumed bottle where it ran before. */
  backend?: BackendName
  /** Variables of the forge sidecar, never of the agent. Rejected while this build has no forge. */
  forgeEnv?: Readonly<Record<string, string>>
  onOutput?: OutputListener
  /** Ends the session: the bottle is cut short, and its state kept. */
  signal?: AbortSignal
}

export interface StartOptions extends SessionOptions {
  /** Bottle files in merge order. Default: the agent's own. */
  bottles?: readonly string[]
  /** Shown in lists, at most 64 bytes. Default: the agent's name; made unique with -2, -3. */
  label?: string
  /** One of the 16 ANSI names, such as `green` or `cyanBright`. */
  color?: string
  /** Copy `cwd` into the workspace. */
  copyCwd?: boolean
  /** Default: the caller's working directory. */
  cwd?: string
  /** What a bottle of the `command` provider runs, instead of a prompt. */
  argv?: readonly string[]
}

export interface BottleRow {
  slug: string
  /** "?": it has a process that keeps it and does not answer. */
  state: "starting" | "running" | "idle" | "stopped" | "frozen" | "closed" | "?"
  /** A sidecar is coming back: nothing leaves meanwhile. */
  degraded: boolean
  agent: string
  bottles: readonly string[]
  backend: string
  provider: string
  label: string
  color: string | null
  /** ISO 8601. */
  startedAt: string
  sidecars: readonly { name: string; state: string; restarts: number }[]
  /** Requests refused so far. */
  refused: number
  /** Why a bottle at rest was kept or closed. */
  reasons: readonly string[]
}

export interface FreezeOptions extends HostOptions {
  /** Asked first, with the bottle as it is: what `bottle freeze` asks on a terminal. Default: yes. */
  confirm?: (bottle: BottleRow) => boolean | Promise<boolean>
}

/** `changed` false: it was frozen already. Bytes, files and directories kept, and what was `left` out as of no use. */
export type FreezeResult = { changed: false } | { changed: true; bytes: number; members: number; left: number }

/**
 * Start an agent without a terminal and wait until it has ended. Resolves with the slug of its bottle, whose state stays
 * until `destroy`. Rejects with the agent's exit code when that is not 0 (`error.slug` names the bottle, kept as well).
 */
export async function startHeadless(agent: string, options: StartOptions = {}): Promise<string> {
  const { prompt, bottles, label, color, backend, copyCwd, argv, forgeEnv, cwd = process.cwd() } = options
  const wish = { agent, prompt, bottles, label, color, backend, copyCwd, cwd, argv, forgeEnv }
  return text(await askBinary({ op: "start", ...wish, output: options.onOutput !== undefined }, options))
}

/** Go on with a kept bottle under the same slug, and wait until its agent has ended. Resolves and rejects like a start. */
export async function resumeHeadless(slug: string, options: SessionOptions = {}): Promise<string> {
  const { prompt, backend, forgeEnv } = options
  const wish = { slug, prompt, backend, forgeEnv, output: options.onOutput !== undefined }
  return text(await askBinary({ op: "resume", ...wish }, options))
}

/**
 * End a bottle and keep it whole, home and workspace, to be resumed from there. Rejects for an unknown slug, and with
 * the code `cancelled` when `confirm` says no.
 */
export async function freeze(slug: string, options: FreezeOptions = {}): Promise<FreezeResult> {
  const row = (await list(options)).find((one) => one.slug === slug)
  if (row === undefined) {
    throw new BottleError(`no bottle ${JSON.stringify(slug)}`, { code: "unknown-bottle", exit: 1, hint: "see list()" })
  }
  if (options.confirm !== undefined && !(await options.confirm(row))) {
    throw new BottleError(`${slug} is not frozen: that was declined`, { code: "cancelled", exit: 1 })
  }
  return (await askBinary({ op: "freeze", slug }, options)) as FreezeResult
}

/** End a bottle and remove all it left. Resolves for a slug that nobody knows. */
export async function destroy(slug: string, options: HostOptions = {}): Promise<void> {
  await askBinary({ op: "destroy", slug }, options)
}

/** Every bottle that has state, running or kept. */
export async function list(options: HostOptions = {}): Promise<BottleRow[]> {
  return (await askBinary({ op: "list" }, options)) as BottleRow[]
}

function text(value: unknown): string {
  if (typeof value === "string") return value
  throw new TypeError("bottle answered with something else than a slug")
}
