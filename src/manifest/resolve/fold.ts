import { nearest } from "../../lib/nearest.ts"
import { type Diagnostic, diagnose, inReadingOrder } from "../source/diagnose.ts"
import type { Origin, ResolvedBottle } from "../types.ts"
import type { Layer, ParentName } from "./layer.ts"
import { emptyLayer, extendLayer, joinLayers, type Merged, type RouteConflict, uniteSourced } from "./merge.ts"

/** A bottle file as the store has it. */
export type StoredBottle =
  | {
      kind: "ok"
      layer: Layer
      parents: readonly ParentName[]
      origin: Origin
      display: string
      warnings: readonly string[]
    }
  | { kind: "bad"; parents: readonly ParentName[]; display: string; diagnostics: readonly Diagnostic[] }
  | { kind: "missing" }

/** Where bottle files come from. A name asked for twice is read once. */
export interface BottleStore {
  read(name: string): Promise<StoredBottle>
  names(): Promise<readonly string[]>
}

export type Folded =
  | { kind: "ok"; bottle: ResolvedBottle }
  | { kind: "bad"; diagnostics: readonly Diagnostic[] }
  /** The first name asked for that is not there. */
  | { kind: "missing"; name: string }

/**
 * Fold the named bottles, each with its parents, into one. Parents go left to right, then the child; a file that is
 * reached twice (a diamond, or two bottles with one parent) speaks once, at its first place.
 */
export async function foldBottles(store: BottleStore, names: readonly string[]): Promise<Folded> {
  const chosen = [...new Set(names)]
  const walk: Walk = { store, seen: new Set(), diagnostics: [], origins: [], warnings: [] }
  let folded = emptyLayer
  for (const name of chosen) {
    const stored = await store.read(name)
    if (stored.kind === "missing") return { kind: "missing", name }
    const layer = await foldOne(name, [], walk)
    folded = settle(joinLayers(folded, layer), walk) ?? folded
  }
  if (walk.diagnostics.length > 0) return { kind: "bad", diagnostics: inReadingOrder(walk.diagnostics) }
  return { kind: "ok", bottle: finish(folded, chosen, walk) }
}

interface Walk {
  store: BottleStore
  seen: Set<string>
  diagnostics: Diagnostic[]
  origins: Origin[]
  warnings: string[]
}

async function foldOne(name: string, above: readonly string[], walk: Walk): Promise<Layer> {
  if (walk.seen.has(name)) return emptyLayer
  walk.seen.add(name)
  const stored = await walk.store.read(name)
  if (stored.kind === "missing") return emptyLayer
  const below = await foldParents(stored.parents, stored.display, [...above, name], walk)
  if (stored.kind === "bad") {
    walk.diagnostics.push(...stored.diagnostics)
    return emptyLayer
  }
  walk.origins.push(stored.origin)
  walk.warnings.push(...stored.warnings)
  return extendLayer(below, settle(uniteOwn(stored.layer), walk) ?? stored.layer)
}

async function foldParents(
  parents: readonly ParentName[],
  display: string,
  line: readonly string[],
  walk: Walk,
): Promise<Layer> {
  let folded = emptyLayer
  for (const { name, place, path } of parents) {
    const why = await refuseParent(name, line, walk.store)
    if (why !== undefined) {
      walk.diagnostics.push(...diagnose(display, [{ place, path, message: why }]))
      continue
    }
    const layer = await foldOne(name, line, walk)
    folded = settle(joinLayers(folded, layer), walk) ?? folded
  }
  return folded
}

async function refuseParent(parent: string, line: readonly string[], store: BottleStore): Promise<string | undefined> {
  const start = line.indexOf(parent)
  if (start === line.length - 1) return "a bottle cannot extend itself"
  if (start !== -1) return `goes round in a circle: ${[...line.slice(start), parent].join(" > ")}`
  if ((await store.read(parent)).kind !== "missing") return undefined
  const near = nearest(parent, await store.names())
  return `unknown bottle ${JSON.stringify(parent)}${near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`}`
}

/** Two routes of one origin in one file are one, like those of two files. */
function uniteOwn(layer: Layer): Merged {
  if (layer.egress === undefined) return { kind: "ok", layer }
  const routes = uniteSourced(layer.egress.routes)
  if ("kind" in routes) return routes
  return { kind: "ok", layer: { ...layer, egress: { ...layer.egress, routes } } }
}

function settle(merged: Merged, walk: Walk): Layer | undefined {
  if (merged.kind === "ok") return merged.layer
  walk.diagnostics.push(describeConflict(merged))
  return undefined
}

function describeConflict({ host, field, earlier, later }: RouteConflict): Diagnostic {
  const [file = "", line = "1", col = "1"] = /^(.*):(\d+):(\d+)$/.exec(later.position)?.slice(1) ?? []
  const message = `${host} has another ${field} at ${earlier.position}`
  return { file, line: Number(line), col: Number(col), path: later.path, message }
}

function finish(layer: Layer, names: readonly string[], walk: Walk): ResolvedBottle {
  const routes = (layer.egress?.routes ?? []).map(({ value }) => value)
  const refs = routes.flatMap(({ auth }) => (auth === undefined ? [] : [auth.token_ref]))
  const token = layer.provider.auth_token
  const { upstream_proxy, log = 0 } = layer.egress ?? {}
  return {
    names,
    origins: walk.origins,
    env: layer.env,
    provider: { template: "command", settings: {}, ...layer.provider },
    egress: { routes, log, ...(upstream_proxy === undefined ? {} : { upstream_proxy }) },
    pipelock: { allowlist: layer.pipelock.allowlist ?? [], dlp: layer.pipelock.dlp ?? {} },
    gitGate: { user: layer.user, repos: layer.repos },
    supervise: layer.supervise?.on ?? true,
    ...(layer.supervise?.expire === undefined ? {} : { expire: layer.supervise.expire }),
    namespace: { binds: layer.binds },
    docker: layer.docker,
    limits: layer.limits,
    slots: [...new Set([...refs, ...(token === undefined ? [] : [token])])].sort(),
    unbuilt: layer.unbuilt,
    warnings: walk.warnings,
  }
}
