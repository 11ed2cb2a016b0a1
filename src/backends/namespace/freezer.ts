import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import { type Backend, type Freezer, type SealedResult, type SealedRun, type TreeName, treeNames } from "../backend.ts"

/** A tree larger than this, or that takes longer, is not copied. */
const mostBytes = 64 * 1024 ** 3
const patience = 3_600_000

/** Opens what the agent closed to itself; pipes and devices are left to whoever reads the archive. */
const packScript = `
find "$1" -xdev -type d ! -perm -500 -exec chmod u+rx -- {} \\;
find "$1" -xdev -type f ! -perm -400 -exec chmod u+r -- {} +
LC_ALL=C exec tar --create --file=- --format=pax --pax-option=delete=atime,delete=ctime --one-file-system \\
  --sparse --hole-detection=seek --numeric-owner --owner=1000 --group=1000 --mode=ug-s,o-t --warning=no-file-ignored -- "$1"
`
const unpackArgv = ["tar", "--extract", "--file=-", "--preserve-permissions", "--no-same-owner"]

type Sealed = (run: SealedRun) => Promise<SealedResult>

/** Home and workspace lie in the bottle's state; nothing else that the agent writes outlives its processes. */
export function treesFreezer(host: Pick<Backend, "sealed" | "ownTree" | "removeTree">): Freezer {
  const places = (stateDir: string) => treeNames.map((tree) => ({ tree, dir: join(stateDir, "fs", tree) }))
  const clear = async (stateDir: string) => {
    for (const { dir } of places(stateDir)) await host.removeTree(dir)
  }
  return {
    async freeze(spec, _record, take) {
      for (const { tree, dir } of places(spec.stateDir)) {
        await pour(
          (onOutput) => packTree((run) => host.sealed(run, spec.slug), tree, dir, onOutput),
          (archive) => take(tree, archive),
        )
      }
      return undefined
    },
    async thaw(spec, archive) {
      await clear(spec.stateDir)
      for (const { tree, dir } of places(spec.stateDir)) {
        mkdirSync(dir, { recursive: true, mode: 0o700 })
        await host.ownTree(dir, spec.slug)
        await unpackTree((run) => host.sealed(run, spec.slug), tree, dir, archive(tree))
      }
    },
    clear: (spec) => clear(spec.stateDir),
  }
}

/** Join a writer that gives pieces and a reader that asks for them: one piece is on its way at a time. */
async function pour(
  write: (give: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
  read: (chunks: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const writing = write((chunk) => writer.write(chunk)).then(
    () => writer.close(),
    async (error: unknown) => {
      await writer.abort(error).catch(() => undefined)
      throw error
    },
  )
  const reading = read(readable as unknown as AsyncIterable<Uint8Array>)
  // One that stops reading, which need not say so to its source, must not leave the writer waiting for ever.
  reading.catch((error: unknown) => writer.abort(error).catch(() => undefined))
  const [read1, wrote] = await Promise.allSettled([reading, writing])
  // The reader's refusal ends the writer, and is what happened.
  if (read1.status === "rejected") throw read1.reason
  if (wrote.status === "rejected") throw wrote.reason
}

/** A tree of the agent's as an archive, made as the agent's own user in a sandbox that sees that tree alone. */
export async function packTree(
  sealed: Sealed,
  tree: TreeName,
  source: string,
  onOutput: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const argv = ["bash", "-c", packScript, "pack", tree]
  const run = await sealed({ argv, ...placeOf(tree, source), maxOutput: mostBytes, onOutput })
  if (run.exitCode !== 0) throw failed(`${tree} could not be read`, run)
}

/** The tree of an archive, below an empty directory of the agent's, in the same kind of sandbox. */
export async function unpackTree(
  sealed: Sealed,
  tree: TreeName,
  target: string,
  input: AsyncIterable<Uint8Array>,
): Promise<void> {
  const run = await sealed({ argv: unpackArgv, ...placeOf(tree, target), maxOutput: 64 * 1024, input })
  if (run.exitCode !== 0) throw failed(`${tree} could not be written`, run)
}

function placeOf(tree: TreeName, source: string) {
  return { mounts: [{ source, target: `/trees/${tree}`, readonly: false }], cwd: "/trees", timeout: patience }
}

function failed(what: string, run: SealedResult): BottleError {
  const said = run.stderr.trim().split("\n").at(-1)?.slice(0, 200)
  return new BottleError(`${what}: ${said || `exit ${run.exitCode}`}`, { code: "freeze-tree", exit: "failed" })
}
