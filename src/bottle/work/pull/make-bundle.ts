import { chmodSync, closeSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import type { SealedResult, SealedRun } from "../../../backends/backend.ts"
import { BottleError } from "../../../lib/errors.ts"
import { type OpenWorkspace, workspaceMounts } from "../open-workspace.ts"
import { scriptFailed } from "../script-failed.ts"
import type { ChosenRef } from "./choose-refs.ts"
import { measureScript, packScript, verifyScript } from "./scripts.ts"

/** What is to be pulled, and what the operator's repository has of it already. */
export interface BundleWish {
  open: OpenWorkspace
  chosen: readonly ChosenRef[]
  have: readonly string[]
  maxSize: number
}

export interface Measure {
  objects: number
  /** Bytes, uncompressed. */
  total: number
  /** Of what the operator has, what the workspace knows as well: the bundle needs it. */
  have: string[]
  /** New commits of each chosen ref, in order. */
  commits: number[]
}

const halfHour = 1_800_000
const mostObjects = 5_000_000

/** Let git in a sandbox over the workspace answer about what is wanted. */
export function askWorkspace(
  { open, chosen, have }: Omit<BundleWish, "maxSize">,
  script: string,
  more: Partial<SealedRun> = {},
): Promise<SealedResult> {
  const input = [...chosen.map(({ oid }) => oid), "--not", ...have, ""].join("\n")
  const { mounts = [], ...rest } = more
  const run: SealedRun = {
    argv: ["bash", "-c", script, "pull"],
    mounts: [...workspaceMounts(open).filter(({ target }) => target !== "/known"), ...mounts],
    cwd: "/",
    maxOutput: 64 * 2 ** 20,
    timeout: halfHour,
    input: new TextEncoder().encode(input),
    ...rest,
  }
  return open.backend.sealed(run, open.slug)
}

/** How much there is to pull. Throws `BottleError` when it is too much, or is not all there. */
export async function measure(wish: BundleWish): Promise<Measure> {
  const run = await askWorkspace(wish, measureScript)
  if (run.exitCode !== 0) throw scriptFailed("the workspace's repository is damaged", run)
  const [sums = "", largest = "", have = "", ...counts] = new TextDecoder().decode(run.stdout).split("\n")
  const [objects = 0, total = 0, most = 0] = sums.split(" ").map(Number)
  if (objects > mostObjects) throw tooMuch(`${objects} objects, at most ${mostObjects} are pulled`)
  if (total > wish.maxSize) {
    const name = largest.split(" ").slice(3).join(" ").slice(0, 200)
    const where = name === "" ? "" : `, the largest ${name} with ${megabytes(most)}`
    throw tooMuch(`${megabytes(total)} of new objects${where}; the limit is ${megabytes(wish.maxSize)}`)
  }
  return { objects, total, have: have.split(" ").filter(Boolean), commits: counts.filter(Boolean).map(Number) }
}

/**
 * Write the bundle: our own head, then the pack as it comes out of the sandbox. It is checked in another sandbox, which
 * never saw the workspace, before anybody reads it. Returns its path.
 */
export async function makeBundle(
  wish: BundleWish,
  measured: Measure,
  refOf: (name: string) => string,
): Promise<string> {
  const { open, chosen, maxSize } = wish
  const path = join(open.held, "bundle")
  const head = bundleHead(measured.have, chosen, refOf)
  const fd = openSync(path, "wx", 0o600)
  try {
    writeWhole(fd, head)
    const run = await askWorkspace({ ...wish, have: measured.have }, packScript, {
      maxOutput: maxSize + 64 * 2 ** 20,
      onOutput: async (piece) => writeWhole(fd, piece),
    })
    if (run.exitCode !== 0) throw scriptFailed("the workspace's objects could not be packed", run)
  } finally {
    closeSync(fd)
  }
  // Its directory is ours alone; the sandbox's user must be able to read it where it is shown.
  chmodSync(path, 0o644)
  await verify(wish, path, head.length)
  return path
}

/** `# v2 git bundle`: prerequisites, refs, an empty line. */
function bundleHead(have: readonly string[], chosen: readonly ChosenRef[], refOf: (name: string) => string): Buffer {
  const lines = ["# v2 git bundle", ...have.map((oid) => `-${oid} `)]
  return Buffer.from([...lines, ...chosen.map(({ oid, name }) => `${oid} ${refOf(name)}`), "", ""].join("\n"))
}

async function verify({ open, chosen, maxSize }: BundleWish, bundle: string, headBytes: number): Promise<void> {
  const run = await open.backend.sealed(
    {
      argv: ["bash", "-c", verifyScript, "verify", String(headBytes + 1)],
      mounts: [
        { source: bundle, target: "/pack", readonly: true },
        { source: await open.cleanScratch(), target: "/scratch", readonly: false },
      ],
      cwd: "/",
      maxOutput: 2 ** 20,
      timeout: halfHour,
      input: new TextEncoder().encode(chosen.map(({ oid }) => `${oid}\n`).join("")),
    },
    open.slug,
  )
  if (run.exitCode !== 0) {
    const why = /^error: (.*)$/m.exec(run.stderr)?.[1] ?? run.stderr.trim().split("\n").at(-1) ?? ""
    throw new BottleError(`the commits do not hold what they should: ${why.slice(0, 200)}`, {
      code: "bad-objects",
      exit: "integrity",
      hint: "nothing was pulled; bottle diff and bottle cp still work",
    })
  }
  const [sums = "", ...tips] = new TextDecoder().decode(run.stdout).trim().split("\n")
  const [, total = 0] = sums.split(" ").map(Number)
  if (total > maxSize) throw tooMuch(`${megabytes(total)} of objects; the limit is ${megabytes(maxSize)}`)
  // A tip that is not in the pack may be the operator's already: whether all is there is for his git to say.
  const odd = tips.find((line) => !/^[0-9a-f]{40} (commit|tag|missing)$/.test(line))
  if (odd !== undefined) {
    throw new BottleError(`what the bundle names is no commit: ${odd.slice(0, 60)}`, {
      code: "bad-objects",
      exit: "integrity",
      hint: "nothing was pulled; bottle diff and bottle cp still work",
    })
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 2 : 0)} MB`

function tooMuch(what: string): BottleError {
  return new BottleError(`too much to pull: ${what}`, {
    code: "too-large",
    exit: "failed",
    hint: "raise it with --max-size, or name branches with --branch",
  })
}
