import type { Route } from "../../policy/types.ts"
import { type ConflictField, uniteRoutes } from "../../policy/unite.ts"
import type { ProviderChoice, UnbuiltKey } from "../types.ts"
import type { Layer, Sourced } from "./layer.ts"

export type Merged = { kind: "ok"; layer: Layer } | RouteConflict

/** Two routes of one host that cannot be one. */
export interface RouteConflict {
  kind: "conflict"
  host: string
  field: ConflictField
  earlier: Sourced<Route>
  later: Sourced<Route>
}

export const emptyLayer: Layer = {
  env: {},
  provider: {},
  pipelock: {},
  user: {},
  repos: {},
  binds: [],
  docker: {},
  limits: {},
  unbuilt: [],
  replaces: [],
}

/**
 * Two bottles side by side: parents of one child, or bottles chosen together. Routes and the allowlist are put
 * together (the union permits what each permitted, SECURITY 13); of single values the later one counts.
 */
export function joinLayers(a: Layer, b: Layer): Merged {
  const egress = joinEgress(a.egress, b.egress)
  if (egress !== undefined && "kind" in egress) return egress
  const allowlist = unique([...(a.pipelock.allowlist ?? []), ...(b.pipelock.allowlist ?? [])])
  const layer = foldCommon(
    a,
    b,
    withoutReplaced(
      a.unbuilt,
      b.replaces.filter((path) => path !== "egress"),
    ),
  )
  const written = a.pipelock.allowlist !== undefined || b.pipelock.allowlist !== undefined
  return {
    kind: "ok",
    layer: {
      ...layer,
      ...(egress === undefined ? {} : { egress }),
      pipelock: { ...layer.pipelock, ...(written ? { allowlist } : {}) },
    },
  }
}

/** A child over its parents: its `egress` and its allowlist replace theirs. */
export function extendLayer(parent: Layer, child: Layer): Layer {
  const layer = foldCommon(parent, child, withoutReplaced(parent.unbuilt, child.replaces))
  const egress = child.egress ?? parent.egress
  return egress === undefined ? layer : { ...layer, egress }
}

/** What both kinds of folding do alike: by key, by field, last wins. */
function foldCommon(a: Layer, b: Layer, unbuilt: readonly UnbuiltKey[]): Layer {
  const supervise = b.supervise ?? a.supervise
  return {
    env: { ...a.env, ...b.env },
    provider: foldProvider(a.provider, b.provider),
    pipelock: { ...a.pipelock, ...b.pipelock },
    user: { ...a.user, ...b.user },
    repos: { ...a.repos, ...b.repos },
    ...(supervise === undefined ? {} : { supervise }),
    binds: [...new Map([...a.binds, ...b.binds].map((bind) => [bind.target, bind])).values()],
    docker: { ...a.docker, ...b.docker },
    limits: { ...a.limits, ...b.limits },
    unbuilt: [...unbuilt, ...b.unbuilt],
    replaces: unique([...a.replaces, ...b.replaces]),
  }
}

/** Another template starts anew: the settings and the token of one CLI mean nothing to another. */
function foldProvider(a: Partial<ProviderChoice>, b: Partial<ProviderChoice>): Partial<ProviderChoice> {
  if (b.template !== undefined && a.template !== undefined && a.template !== b.template) return b
  const settings = { ...a.settings, ...b.settings }
  return { ...a, ...b, ...(Object.keys(settings).length > 0 ? { settings } : {}) }
}

function joinEgress(a: Layer["egress"], b: Layer["egress"]): Layer["egress"] | RouteConflict {
  if (a === undefined || b === undefined) return a ?? b
  const routes = uniteSourced([...a.routes, ...b.routes])
  return "kind" in routes ? routes : { ...a, ...b, routes }
}

/** Routes of one origin made one, at the first one's place. A conflict names both places. */
export function uniteSourced(routes: readonly Sourced<Route>[]): readonly Sourced<Route>[] | RouteConflict {
  const united = new Map<string, Sourced<Route>>()
  for (const later of routes) {
    const { host, scheme, port } = later.value
    const key = `${scheme}://${host}:${port}`
    const earlier = united.get(key)
    const result = uniteRoutes(earlier === undefined ? [] : [earlier.value], [later.value])
    if (result.kind === "conflict") {
      return { kind: "conflict", host, field: result.field, earlier: earlier ?? later, later }
    }
    for (const value of result.routes) united.set(key, { ...(earlier ?? later), value })
  }
  return [...united.values()]
}

function withoutReplaced(unbuilt: readonly UnbuiltKey[], replaced: readonly string[]): UnbuiltKey[] {
  const gone = ({ key }: UnbuiltKey) =>
    replaced.some((path) => key === path || key.startsWith(`${path}.`) || key.startsWith(`${path}[`))
  return unbuilt.filter((each) => !gone(each))
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)]
}
