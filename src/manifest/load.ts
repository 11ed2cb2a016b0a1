import { lstatSync, realpathSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../lib/errors.ts"
import { nearest } from "../lib/nearest.ts"
import { safeText } from "../ui/safe-text.ts"
import { type AgentFolder, type AgentRead, readAgentFile } from "./agent-file.ts"
import { createBottleStore } from "./bottle-store.ts"
import { freezeDeep } from "./freeze.ts"
import { isName, nameRule } from "./names.ts"
import { foldBottles } from "./resolve/fold.ts"
import { tilde } from "./resolve/place-names.ts"
import { type Diagnostic, manifestError } from "./source/diagnose.ts"
import { listFolder, listingProblem } from "./source/list-folder.ts"
import type { AgentManifest, ResolvedBottle } from "./types.ts"
import type { BindHost } from "./values/bind.ts"

/** A file that can be used, or what is wrong with it. A broken one never hides another. */
export type AgentEntry =
  | { kind: "ok"; name: string; display: string; agent: AgentManifest }
  | { kind: "broken"; name: string; display: string; diagnostics: readonly Diagnostic[] }

export type BottleEntry =
  | { kind: "ok"; name: string; display: string; bottle: ResolvedBottle }
  | { kind: "broken"; name: string; display: string; diagnostics: readonly Diagnostic[] }

export interface Manifests {
  /** The operator's agents and those that the repository ships under other names, sorted. */
  listAgents(): Promise<readonly AgentEntry[]>
  listBottles(): Promise<readonly BottleEntry[]>
  /** The operator's agent of this name, else the repository's. Throws `BottleError`: exit 5 unknown, 3 broken. */
  loadAgent(name: string): Promise<AgentManifest>
  /** Several bottles merged in order, with their parents. Throws `BottleError`: exit 5 unknown, 3 broken. */
  loadBottles(names: readonly string[]): Promise<ResolvedBottle>
}

export interface ManifestPlaces {
  /** `BOT_BOTTLE_HOME`. */
  home: string
  /** The operator's home. */
  userHome: string
  cwd: string
  /** The file system that binds are judged by; the machine's own when absent. */
  bindHost?: BindHost
}

/**
 * What the operator wrote under `BOT_BOTTLE_HOME`, and the agents that the repository in `cwd` suggests. Every call reads
 * the files anew, so an edit is seen at once; everything handed out is frozen. Bottles are read from the operator's own
 * folder only.
 */
export function createManifests(places: ManifestPlaces): Manifests {
  const folders = agentFolders(places)

  async function findAgent(name: string): Promise<{ folder: AgentFolder; read: AgentRead } | undefined> {
    for (const folder of folders) {
      const read = await readAgentFile(folder, name, places.userHome)
      if (read.kind !== "missing") return { folder, read }
    }
    return undefined
  }

  return {
    async listAgents() {
      const entries = new Map<string, AgentEntry>()
      for (const folder of folders) {
        const listing = await listFolder(folder.path, folder)
        for (const name of listing.names) {
          if (entries.has(name)) continue
          const display = folder.displayOf(name)
          const read = isName(name) ? await readAgentFile(folder, name, places.userHome) : badName(display)
          if (read.kind === "ok") entries.set(name, { kind: "ok", name, display, agent: freezeDeep(read.agent) })
          if (read.kind === "bad") entries.set(name, { kind: "broken", name, display, diagnostics: read.diagnostics })
        }
        if (listing.problem !== undefined) {
          const display = folder.display
          const diagnostics = [listingProblem(display, listing.problem)]
          entries.set(display, { kind: "broken", name: display, display, diagnostics })
        }
      }
      return [...entries.values()].sort(byName)
    },

    async listBottles() {
      const store = createBottleStore(places)
      const entries: BottleEntry[] = []
      for (const name of await store.names()) {
        const display = store.displayOf(name)
        if (!isName(name)) {
          entries.push({ kind: "broken", name, display, diagnostics: badName(display).diagnostics })
          continue
        }
        const folded = await foldBottles(store, [name])
        if (folded.kind === "ok") entries.push({ kind: "ok", name, display, bottle: freezeDeep(folded.bottle) })
        if (folded.kind === "bad") entries.push({ kind: "broken", name, display, diagnostics: folded.diagnostics })
      }
      return entries.sort(byName)
    },

    async loadAgent(name) {
      const found = isName(name) ? await findAgent(name) : undefined
      if (found?.read.kind === "ok") return freezeDeep(found.read.agent)
      if (found?.read.kind === "bad") throw manifestError(found.read.diagnostics)
      const listings = await Promise.all(folders.map((folder) => listFolder(folder.path, folder)))
      throw unknown(
        "agent",
        name,
        listings.flatMap(({ names }) => names),
      )
    },

    async loadBottles(names) {
      if (names.length === 0) throw new BottleError("no bottle named", { code: "no-bottle", exit: "usage" })
      const store = createBottleStore(places)
      const odd = names.find((name) => !isName(name))
      if (odd !== undefined) throw unknown("bottle", odd, await store.names())
      const folded = await foldBottles(store, names)
      if (folded.kind === "missing") throw unknown("bottle", folded.name, await store.names())
      if (folded.kind === "bad") throw manifestError(folded.diagnostics)
      const { bottle } = folded
      return freezeDeep({ ...bottle, warnings: [...bottle.warnings, ...unusedBottles(places)] })
    },
  }
}

/** Home first: on an equal name it wins (SECURITY 23). */
function agentFolders({ home, cwd }: ManifestPlaces): AgentFolder[] {
  const own: AgentFolder = {
    path: join(home, "agents"),
    scope: "home",
    display: "agents",
    displayOf: (name) => `agents/${name}.md`,
    followLinks: true,
  }
  const root = join(cwd, ".bot-bottle")
  if (sameDirectory(root, home)) return [own]
  const display = "./.bot-bottle/agents"
  const path = join(root, "agents")
  const shipped: AgentFolder = {
    path,
    scope: "repository",
    display,
    displayOf: (name) => `${display}/${name}.md`,
    followLinks: false,
    // A link at either level would lead the reading out of the repository.
    above: root,
  }
  return [own, shipped]
}

function unusedBottles({ home, userHome, cwd }: ManifestPlaces): string[] {
  const root = join(cwd, ".bot-bottle")
  if (sameDirectory(root, home) || !exists(join(root, "bottles"))) return []
  return [
    `./.bot-bottle/bottles is not used: bottles are read from ${safeText(tilde(join(home, "bottles"), userHome))} only`,
  ]
}

function badName(display: string): { kind: "bad"; diagnostics: Diagnostic[] } {
  return { kind: "bad", diagnostics: [{ file: display, line: 1, col: 1, path: "", message: `file name: ${nameRule}` }] }
}

function unknown(what: "agent" | "bottle", name: string, names: readonly string[]): BottleError {
  const near = nearest(name, names.filter(isName))
  const suggestion = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`
  return new BottleError(`unknown ${what} ${JSON.stringify(safeText(name, 100))}${suggestion}`, {
    code: `unknown-${what}`,
    exit: "notFound",
    hint: `those there are: bottle list ${what}s`,
  })
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}

function sameDirectory(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b)
  } catch {
    return false
  }
}

function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}
