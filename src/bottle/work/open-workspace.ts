import { existsSync, lstatSync, mkdirSync, mkdtempSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import type { Backend, Mount, TreeAccess } from "../../backends/backend.ts"
import { unpackTree } from "../../backends/docker/trees/unpack.ts"
import { BottleError } from "../../lib/errors.ts"
import type { Paths } from "../../lib/paths.ts"
import { backendFor } from "../backends.ts"
import { unknownSlug } from "../client.ts"
import { readArchive } from "../freeze/read-archive.ts"
import { openFreeze } from "../freeze/store.ts"
import type { Plan } from "../plan-types.ts"
import { StateDir } from "../state.ts"
import { treePaths } from "../workspace.ts"

/** A bottle as far as its trees go; it may run or be at rest. */
export interface BottleTrees {
  slug: string
  plan: Plan
  state: StateDir
  backend: Backend
}

/** A bottle's workspace as a directory of this machine, to be shown to sandboxes and never opened here. */
export interface OpenWorkspace extends BottleTrees {
  workspace: string
  /** Pipes, sockets and devices of it that were not brought here. */
  left: number
  /** A directory of its own, writable in a sandbox, gone afterwards. */
  scratch: string
  /** Another one, that nothing which saw the workspace has touched. */
  cleanScratch(): Promise<string>
  /** A directory that no sandbox writes to, gone afterwards. */
  held: string
}

/** Throws `BottleError`: exit 5 for a slug without state, exit 1 for one that was never planned. */
export async function findTrees(paths: Paths, slug: string): Promise<BottleTrees> {
  const state = new StateDir(paths.state(slug))
  if (!state.exists) throw unknownSlug(slug)
  const plan = state.plan()
  if (plan === undefined || state.copying) {
    throw new BottleError(`${slug} has no workspace yet`, {
      code: "no-workspace",
      exit: "failed",
      hint: `bottle logs ${slug} --source bringup`,
    })
  }
  return { slug, plan, state, backend: await backendFor(plan.backend.name) }
}

/** Use the workspace as it is now. What a backend keeps elsewhere is brought here first. */
export async function withWorkspace<T>(
  paths: Paths,
  slug: string,
  use: (open: OpenWorkspace) => Promise<T>,
): Promise<T> {
  const trees = await findTrees(paths, slug)
  const { backend, state } = trees
  const held = mkdtempSync(join(state.path, ".look-"))
  try {
    const makeScratch = async (name: string) => {
      const dir = join(held, name)
      mkdirSync(dir, { mode: 0o700 })
      await backend.ownTree(dir, slug)
      return dir
    }
    const scratch = await makeScratch("scratch")
    let left = 0
    const unpack = async (archive: Readable) => {
      const dir = join(held, "workspace")
      mkdirSync(dir, { mode: 0o700 })
      left = (await unpackTree(archive, dir)).left
      await backend.ownTree(dir, slug)
      return dir
    }
    const fetched =
      state.rest === "frozen"
        ? await unpack(Readable.from(readArchive(state.path, await openFreeze(state.path), "workspace")))
        : await withAccess(trees, async (access) => {
            if (access === undefined) return undefined
            const archive = await access.read("workspace", "")
            if (archive === undefined) throw new Error("the workspace is gone")
            return unpack(archive)
          })
    const workspace = fetched ?? treePaths.workspace(state.path)
    return await use({ ...trees, workspace, left, held, scratch, cleanScratch: () => makeScratch("clean") })
  } finally {
    await backend.removeTree(held)
  }
}

/** Use the backend's own access to the trees; undefined: they are under `stateDir/fs`. */
export async function withAccess<T>(
  { backend, state }: BottleTrees,
  use: (access: TreeAccess | undefined) => Promise<T>,
): Promise<T> {
  const record = state.record()
  const access = record && (await backend.openTrees?.(record))
  try {
    return await use(access)
  } finally {
    await access?.close()
  }
}

/** What a script over a workspace is shown: it at /tree, what was copied in at /base, a place to write at /scratch. */
export function workspaceMounts({ workspace, scratch, state, plan }: OpenWorkspace): Mount[] {
  const known = join(plan.cwd, ".git", "objects")
  return [
    { source: workspace, target: "/tree", readonly: true },
    { source: scratch, target: "/scratch", readonly: false },
    ...(existsSync(state.base) ? [{ source: state.base, target: "/base", readonly: true }] : []),
    // The operator's own objects: what was copied in may be found there when the agent has thrown it away.
    ...(plan.copyCwd && isPlainDirectory(join(plan.cwd, ".git")) && isPlainDirectory(known)
      ? [{ source: known, target: "/known", readonly: true }]
      : []),
  ]
}

function isPlainDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
