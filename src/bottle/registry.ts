import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Paths } from "../lib/paths.ts"
import { isSlug } from "../lib/slug.ts"
import { askKeeper, isAtRest } from "./client.ts"
import type { BottleState } from "./keeper/protocol.ts"
import { type LiveRow, readRow } from "./keeper/row/row-file.ts"
import { isKeeperAlive, readWhereabouts } from "./keeper/whereabouts.ts"
import { StateDir } from "./state.ts"

/** How long a listing waits for one keeper, in ms; a row that has no answer by then is shown from its files. */
const patience = 1_500

/** One row of `bottle list`. What is not known is "?" and never hides the row (BEHAVIOUR 7). */
export interface ActiveBottle {
  slug: string
  /** "?": its keeper lives and does not answer. */
  state: BottleState | "?"
  degraded: boolean
  agent: string
  bottles: readonly string[]
  backend: string
  provider: string
  label: string
  color: string | null
  startedAt: string
  sidecars: readonly { name: string; state: string; restarts: number }[]
  refused: number
  /** Why a bottle at rest was kept or closed. */
  reasons: readonly string[]
}

/** Every bottle that has state here: running, idle, or kept. Reads files, and asks the keepers that have written none; starts dead ones again. */
export async function listActive(paths: Paths): Promise<ActiveBottle[]> {
  const rows = await Promise.all(slugs(paths).map((slug) => describeBottle(paths, slug)))
  return rows.filter((row) => row !== undefined).sort((a, b) => a.startedAt.localeCompare(b.startedAt))
}

export function slugs(paths: Paths): string[] {
  try {
    return readdirSync(paths.stateRoot).filter(isSlug)
  } catch {
    return []
  }
}

/** One row; undefined: it was gone when it was looked at. */
export async function describeBottle(paths: Paths, slug: string): Promise<ActiveBottle | undefined> {
  const state = new StateDir(paths.state(slug))
  const live = isAtRest(state) ? undefined : await liveStatus(paths, slug)
  if (!state.exists) return undefined
  const metadata = state.metadata()
  return {
    slug,
    state: live?.state ?? stateByFiles(state),
    degraded: live?.degraded ?? false,
    agent: metadata?.agent_name ?? "?",
    bottles: metadata?.bottle_names ?? [],
    backend: metadata?.backend ?? "?",
    provider: metadata?.provider ?? "?",
    label: metadata?.label ?? "?",
    color: metadata?.color ?? null,
    startedAt: metadata?.started_at ?? "?",
    sidecars: live?.sidecars.map(({ name, state: was, restarts }) => ({ name, state: was, restarts })) ?? [],
    refused: live?.refused ?? state.refused,
    // A launch clears the marker; a keeper that has just settled still answers.
    reasons: state.reasons,
  }
}

/** Undefined: it has no keeper any more, or none that answers in time. */
async function liveStatus(paths: Paths, slug: string): Promise<LiveRow | undefined> {
  const written = readRow(join(paths.runtimeRoot, slug), readWhereabouts(paths.state(slug)))
  if (written !== undefined) return written
  const asked = askKeeper(paths, slug, { op: "status" }).then(
    (answer) => answer.status,
    () => undefined,
  )
  return Promise.race([asked, Bun.sleep(patience).then(() => undefined)])
}

/** Without an answer: a keeper that lives and is busy or stopped; at rest; or one that nobody could take over. */
function stateByFiles(state: StateDir): ActiveBottle["state"] {
  const where = readWhereabouts(state.path)
  if (where !== undefined && isKeeperAlive(where)) return where.phase === "starting" ? "starting" : "?"
  return state.rest ?? "closed"
}
