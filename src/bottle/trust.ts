import { join } from "node:path"
import { readJsonFile, writeJsonFile } from "../lib/atomic-file.ts"
import { BottleError } from "../lib/errors.ts"
import type { Paths } from "../lib/paths.ts"
import { ensurePrivateDir } from "../lib/private-dir.ts"
import type { Origin } from "../manifest/types.ts"
import type { Plan } from "./plan-types.ts"

/**
 * What the operator has said of a repository's agent file (SECURITY 23). It is the content that is trusted, wherever it
 * lies: `changed` is a file where one with another content was trusted, on `since`.
 */
export type Trust = { kind: "own" } | { kind: "trusted" } | { kind: "new" } | { kind: "changed"; since: string }

interface Trusted {
  path: string
  sha256: string
  /** ISO 8601. */
  trusted_at: string
}

const fileOf = (paths: Paths): string => join(paths.home, "trust.json")

export async function trustOf(origin: Origin | undefined, paths: Paths): Promise<Trust> {
  if (origin === undefined || origin.scope === "home") return { kind: "own" }
  const known = await readTrusted(paths)
  if (known.some(({ sha256 }) => sha256 === origin.sha256)) return { kind: "trusted" }
  const before = known.findLast(({ path }) => path === origin.path)
  return before === undefined ? { kind: "new" } : { kind: "changed", since: before.trusted_at }
}

export async function rememberTrust(origin: Origin, paths: Paths): Promise<void> {
  const known = await readTrusted(paths)
  const { path, sha256 } = origin
  await ensurePrivateDir(paths.home)
  const agents = [...known, { path, sha256, trusted_at: new Date().toISOString() }]
  await writeJsonFile(fileOf(paths), { schemaVersion: 1, agents })
}

/** Nobody is asked in a headless resume: the repository's file must be what it was at the start, or trusted since. */
export async function refuseChanged(plan: Plan | undefined, origin: Origin | undefined, paths: Paths): Promise<void> {
  if (origin?.scope !== "repository" || plan?.agent.origin?.sha256 === origin.sha256) return
  if ((await trustOf(origin, paths)).kind === "trusted") return
  throw new BottleError(`${origin.display} of the repository is not the file that this bottle was started with`, {
    code: "repository-agent",
    exit: "usage",
    hint: "read it, then resume in a terminal, where you are asked",
  })
}

async function readTrusted(paths: Paths): Promise<Trusted[]> {
  // A file that does not parse is moved aside: then everything is asked anew.
  const read = await readJsonFile(fileOf(paths))
  const agents = read.kind === "read" ? (read.value as { agents?: unknown } | null)?.agents : undefined
  return Array.isArray(agents) ? agents.filter(isTrusted) : []
}

function isTrusted(entry: unknown): entry is Trusted {
  const { path, sha256, trusted_at } = (entry ?? {}) as Record<string, unknown>
  return [path, sha256, trusted_at].every((field) => typeof field === "string")
}
