import { readFile } from "node:fs/promises"
import type { BackendName, TreeName } from "../../backends/backend.ts"
import { BottleError } from "../../lib/errors.ts"

export interface StoredArchive {
  file: string
  bytes: number
  /** Of the whole archive. */
  sha256: string
  members: number
  /** How many members were left out: devices, pipes, names too long. */
  left: number
}

/** `state/<slug>/freeze/manifest.json`. */
export interface FreezeManifest {
  schemaVersion: 1
  slug: string
  backend: BackendName
  /** ISO 8601. */
  frozenAt: string
  /** What the backend calls the rest of the agent's system: an image's id. */
  system?: string
  archives: Record<TreeName, StoredArchive>
  /** A line for each file, directory and link, with its hash. */
  files: { file: string; sha256: string }
}

/** Throws `BottleError` (exit 8) for one that is missing or does not parse. */
export async function readManifest(path: string): Promise<FreezeManifest> {
  try {
    const read: unknown = JSON.parse(await readFile(path, "utf8"))
    if (isManifest(read)) return read
  } catch (error) {
    throw brokenFreeze("its manifest cannot be read", error)
  }
  throw brokenFreeze("its manifest is not one of a freeze")
}

/** A freeze that is not as it was written. */
export function brokenFreeze(why: string, cause?: unknown): BottleError {
  return new BottleError(`the freeze is damaged: ${why}`, {
    code: "freeze-integrity",
    exit: "integrity",
    hint: "nothing was started; put its files back from a backup, or destroy the bottle",
    cause,
  })
}

type Unknowns = Record<string, unknown>
const isObject = (value: unknown): value is Unknowns => typeof value === "object" && value !== null
const isHash = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{64}$/.test(value)

function isManifest(value: unknown): value is FreezeManifest {
  if (!isObject(value) || value.schemaVersion !== 1 || !isObject(value.archives) || !isObject(value.files)) return false
  const { home, workspace } = value.archives
  if (!isArchive(home, "home") || !isArchive(workspace, "workspace") || !isHash(value.files.sha256)) return false
  return value.system === undefined || (typeof value.system === "string" && /^sha256:[0-9a-f]{64}$/.test(value.system))
}

function isArchive(value: unknown, tree: TreeName): boolean {
  return isObject(value) && value.file === `${tree}.tar` && Number.isSafeInteger(value.bytes) && isHash(value.sha256)
}
