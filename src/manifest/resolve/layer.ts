import { dirname, isAbsolute, join } from "node:path"
import type { DockerChoice, Limits } from "../../backends/backend.ts"
import type { Route } from "../../policy/types.ts"
import { findUnbuilt } from "../features.ts"
import { bindSchema, bottleSchema, extendsSchema, type WrittenBottle } from "../schema/bottle.ts"
import { checkDocument, oneParse } from "../schema/check.ts"
import { type Place, type Problem, pathText } from "../source/diagnose.ts"
import { type ManifestDocument, valueAt } from "../source/document.ts"
import type { EnvMode, GitRepo, GitUser, ProviderChoice, UnbuiltKey } from "../types.ts"
import { type Bind, type BindContext, judgeBind } from "../values/bind.ts"

/** Something written, with where. */
export interface Sourced<T> {
  value: T
  /** `bottles/dev.md:7:5` */
  position: string
  /** `egress.routes[0]` */
  path: string
}

/** What one bottle file, or several folded together, has to say. Absent: nothing was written. */
export interface Layer {
  env: Readonly<Record<string, EnvMode>>
  provider: Partial<ProviderChoice>
  egress?: { routes: readonly Sourced<Route>[]; log?: 0 | 1 | 2; upstream_proxy?: string }
  pipelock: { allowlist?: readonly string[]; dlp?: Readonly<Record<string, unknown>> }
  user: GitUser
  repos: Readonly<Record<string, GitRepo>>
  supervise?: { on: boolean; expire?: number }
  binds: readonly (Bind & { origin: string })[]
  docker: DockerChoice
  limits: Limits
  unbuilt: readonly UnbuiltKey[]
  /** Dotted paths whose writing replaces what parents said, unbuilt keys included. */
  replaces: readonly string[]
}

/** A name under `extends`, with where. */
export interface ParentName {
  name: string
  place: Place
  path: string
}

export interface LayerContext extends BindContext {
  /** Absolute path of the file. */
  path: string
  /** As in diagnostics: `bottles/dev.md`. */
  display: string
}

export type LayerResult =
  | { kind: "ok"; layer: Layer; parents: readonly ParentName[]; warnings: readonly string[] }
  /** The parents are told all the same, so that what is wrong with them is said in the same go. */
  | { kind: "bad"; problems: readonly Problem[]; parents: readonly ParentName[] }

/** One file's document as a layer: paths made absolute, binds judged, every key that is not built noted. */
export function readLayer(document: ManifestDocument, context: LayerContext): LayerResult {
  const checked = checkDocument(document, bottleSchema)
  const parents = readParents(document)
  const { binds, problems } = readBinds(document, context)
  if (checked.kind === "bad") return { kind: "bad", problems: [...checked.problems, ...problems], parents }
  if (problems.length > 0) return { kind: "bad", problems, parents }
  const written = checked.value

  const positionOf = (path: readonly PropertyKey[], part: "key" | "value") => {
    const { line, col } = document.at(path, part)
    return `${context.display}:${line}:${col}`
  }
  const gate = written["git-gate"]
  const layer: Layer = {
    env: written.env ?? {},
    provider: readProvider(written.agent_provider ?? {}, context),
    ...(written.egress === undefined ? {} : { egress: readEgress(written.egress, positionOf, context) }),
    pipelock: written.pipelock ?? {},
    user: gate?.user ?? {},
    repos: gate?.repos ?? {},
    ...(written.supervise === undefined ? {} : { supervise: readSupervise(written.supervise) }),
    binds: binds.map(({ index, bind }) => ({ ...bind, origin: positionOf(["namespace", "binds", index], "value") })),
    docker: written.docker ?? {},
    limits: written.limits ?? {},
    unbuilt: findUnbuilt("bottle", document.data).map((path) => ({
      key: pathText(path),
      position: positionOf(path, "key"),
    })),
    replaces: findReplaced(written),
  }
  const warnings = Object.keys(layer.env)
    .filter((name) => looksLikeReference(valueAt(document.data, ["env", name])))
    .map(
      (name) =>
        `${positionOf(["env", name], "value")} env.${name}: taken as it stands; only a value that is nothing but \${NAME} comes from the host`,
    )
  return { kind: "ok", layer, parents, warnings }
}

/** `${A}/bin`, which other tools would expand. Escaped, or a whole reference, it is meant as it stands. */
function looksLikeReference(value: unknown): boolean {
  if (typeof value !== "string" || value.startsWith("$${") || value.startsWith("?")) return false
  return /\$\{[A-Za-z_]/.test(value) && !/^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(value)
}

function readParents(document: ManifestDocument): ParentName[] {
  const read = extendsSchema.safeParse(valueAt(document.data, ["extends"]), oneParse)
  if (!read.success) return []
  const list = typeof read.data === "string" ? [read.data] : read.data
  return list.map((name, index) => {
    const path = typeof read.data === "string" ? ["extends"] : ["extends", index]
    return { name, place: document.at(path, "value"), path: pathText(path) }
  })
}

function readSupervise(written: NonNullable<WrittenBottle["supervise"]>): NonNullable<Layer["supervise"]> {
  return typeof written === "boolean" ? { on: written } : { on: true, ...written }
}

function readEgress(
  written: NonNullable<WrittenBottle["egress"]>,
  positionOf: (path: readonly PropertyKey[], part: "key" | "value") => string,
  context: LayerContext,
): NonNullable<Layer["egress"]> {
  const routes = (written.routes ?? []).map((route, index) => {
    const path = ["egress", "routes", index]
    const value = route.ca === undefined ? route : { ...route, ca: absolutePath(route.ca, context) }
    return { value, position: positionOf(path, "value"), path: pathText(path) }
  })
  return { ...written, routes }
}

function readProvider(written: Partial<ProviderChoice>, context: LayerContext): Partial<ProviderChoice> {
  const { dockerfile } = written
  return dockerfile === undefined ? written : { ...written, dockerfile: absolutePath(dockerfile, context) }
}

/** Relative to the file that names it. Whether it exists is the plan's question. */
function absolutePath(path: string, context: LayerContext): string {
  if (path.startsWith("~/")) return join(context.userHome, path.slice(2))
  return isAbsolute(path) ? path : join(dirname(context.path), path)
}

/** Entries whose form is right are judged, whatever else is wrong in the file. */
function readBinds(document: ManifestDocument, context: LayerContext) {
  const binds: { index: number; bind: Bind }[] = []
  const problems: Problem[] = []
  const entries = valueAt(document.data, ["namespace", "binds"])
  for (const [index, entry] of (Array.isArray(entries) ? entries : []).entries()) {
    const form = bindSchema.safeParse(entry, oneParse)
    if (!form.success) continue
    const judged = judgeBind(form.data, context)
    const path = ["namespace", "binds", index]
    if (judged.kind === "value") binds.push({ index, bind: judged.value })
    else problems.push({ place: document.at(path, "value"), path: pathText(path), message: judged.why })
  }
  return { binds, problems }
}

/** Keys that, written in a child, take the place of the parents' value with all that hangs on it. */
function findReplaced(written: WrittenBottle): string[] {
  const provider = written.agent_provider
  return [
    ...(written.egress === undefined ? [] : ["egress"]),
    ...(written.supervise === undefined ? [] : ["supervise"]),
    ...(written.pipelock?.dlp === undefined ? [] : ["pipelock.dlp"]),
    ...(provider?.forward_host_credentials === undefined ? [] : ["agent_provider.forward_host_credentials"]),
    ...(written.limits?.disk === undefined ? [] : ["limits.disk"]),
  ]
}
