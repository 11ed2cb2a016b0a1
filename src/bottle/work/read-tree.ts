import { PassThrough, Readable } from "node:stream"
import { finished } from "node:stream/promises"
import type { TreeName } from "../../backends/backend.ts"
import { BottleError } from "../../lib/errors.ts"
import { readArchive } from "../freeze/read-archive.ts"
import { openFreeze } from "../freeze/store.ts"
import { treePaths } from "../workspace.ts"
import { type BottleTrees, withAccess } from "./open-workspace.ts"
import { scriptFailed } from "./script-failed.ts"

/** A part of a bottle's tree as an archive. What is wanted is the member `prefix` and all below it. */
export interface TreeArchive {
  archive: Readable
  prefix: string
}

const day = 86_400_000

/**
 * Use what is at a path below home or workspace ("" is all of it), wherever the bottle keeps it now: in its directory, with
 * its backend, or frozen. No program of the bottle's takes part. Rejects with a `BottleError` (exit 5) when nothing is there.
 */
export async function readTree<T>(
  trees: BottleTrees,
  tree: TreeName,
  inner: string,
  use: (read: TreeArchive) => Promise<T>,
): Promise<T> {
  const { state } = trees
  if (state.rest === "frozen") {
    const frozen = readArchive(state.path, await openFreeze(state.path), tree)
    return use({ archive: Readable.from(frozen), prefix: joined(tree, inner) })
  }
  return withAccess(trees, async (access) => {
    if (access === undefined) return fromDirectory(trees, tree, inner, use)
    const archive = await access.read(tree, inner)
    if (archive === undefined) throw nothingThere(tree, inner)
    return use({ archive, prefix: inner.split("/").at(-1) || tree })
  })
}

/** tar in a sandbox that sees this tree alone; it is held back by whoever reads. */
async function fromDirectory<T>(
  { backend, slug, state }: BottleTrees,
  tree: TreeName,
  inner: string,
  use: (read: TreeArchive) => Promise<T>,
): Promise<T> {
  const stream = new PassThrough({ highWaterMark: 2 ** 20 })
  stream.on("error", () => undefined)
  const name = joined(tree, inner)
  const script = '[ -e "$1" ] || [ -L "$1" ] || exit 44; exec tar --hard-dereference --sort=name -cf - -- "$1"'
  const running = backend.sealed(
    {
      argv: ["bash", "-c", script, "copy", name],
      mounts: [{ source: treePaths[tree](state.path), target: `/trees/${tree}`, readonly: true }],
      cwd: "/trees",
      maxOutput: 2 ** 50,
      timeout: day,
      onOutput: async (chunk) => {
        if (stream.destroyed) throw new Error("nobody reads")
        if (!stream.write(Buffer.from(chunk)))
          await Promise.race([drained(stream), finished(stream).catch(() => undefined)])
      },
    },
    slug,
  )
  const ended = running.then(
    (run) => {
      // tar's 1: a file changed while it was read, as files of an agent at work do.
      if (run.exitCode === 44) stream.destroy(nothingThere(tree, inner))
      else if (run.exitCode > 1) stream.destroy(scriptFailed("the files could not be read", run))
      else stream.end()
    },
    (error: unknown) => void stream.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  try {
    return await use({ archive: stream, prefix: name })
  } finally {
    stream.destroy()
    await ended
  }
}

const drained = (stream: PassThrough): Promise<void> => new Promise((resolve) => stream.once("drain", resolve))
const joined = (tree: string, inner: string): string => (inner === "" ? tree : `${tree}/${inner}`)

function nothingThere(tree: TreeName, inner: string): BottleError {
  return new BottleError(`nothing is at ${JSON.stringify(inner)} in the bottle's ${tree}`, {
    code: "no-such-file",
    exit: "notFound",
    hint: "paths are relative to the workspace; ~/ is the bottle's home",
  })
}
