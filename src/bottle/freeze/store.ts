import { randomBytes } from "node:crypto"
import { readdirSync, renameSync, rmSync } from "node:fs"
import { type FileHandle, mkdir, open } from "node:fs/promises"
import { join } from "node:path"
import { type BackendName, type TreeName, treeNames } from "../../backends/backend.ts"
import { writeJsonFile } from "../../lib/atomic-file.ts"
import { type ArchiveLimits, archiveLimits, checkArchive, type Member } from "./archive.ts"
import { type FreezeManifest, readManifest, type StoredArchive } from "./manifest.ts"

/** Inside a state directory. */
const freezeName = "freeze"
const temporaryPrefix = ".freeze-"
const listBuffer = 64 * 1024

export const freezeDir = (stateDir: string): string => join(stateDir, freezeName)

export type TakeTree = (tree: TreeName, archive: AsyncIterable<Uint8Array>) => Promise<void>

export interface FreezeFacts {
  slug: string
  backend: BackendName
  frozenAt: string
}

/**
 * Store a freeze under `state/<slug>/freeze`: an archive a tree, a list of every file with its hash, a manifest over
 * both. Written beside its place, synced, and renamed when it is complete; what an earlier one left is dropped. It counts
 * only once the state's marker says `frozen`. `fill` gives the trees and resolves with the name of the kept system.
 */
export async function storeFreeze(
  stateDir: string,
  facts: FreezeFacts,
  fill: (take: TakeTree) => Promise<string | undefined>,
  limits: ArchiveLimits = archiveLimits,
): Promise<FreezeManifest> {
  dropFreeze(stateDir)
  const dir = join(stateDir, `${temporaryPrefix}${randomBytes(6).toString("hex")}`)
  await mkdir(dir, { mode: 0o700 })
  try {
    const archives: Partial<Record<TreeName, StoredArchive>> = {}
    const list = await ListWriter.open(join(dir, "files.jsonl"))
    const system = await fill(async (tree, archive) => {
      archives[tree] = await storeArchive(dir, tree, archive, list, limits)
    })
    const files = { file: "files.jsonl", ...(await list.close()) }
    for (const tree of treeNames) if (archives[tree] === undefined) throw new Error(`${tree} was not given`)
    const manifest: FreezeManifest = {
      schemaVersion: 1,
      ...facts,
      ...(system === undefined ? {} : { system }),
      archives: archives as Record<TreeName, StoredArchive>,
      files,
    }
    await writeJsonFile(join(dir, "manifest.json"), manifest)
    renameSync(dir, freezeDir(stateDir))
    await syncDir(stateDir)
    return manifest
  } catch (error) {
    rmSync(dir, { recursive: true, force: true })
    throw error
  }
}

/** Remove a freeze and what an interrupted one left. */
export function dropFreeze(stateDir: string): void {
  dropUnfinished(stateDir, false)
}

/** Is there a copy that counts for nothing? A freeze does only where the marker says so. */
export function unfinishedFreeze(stateDir: string, isFrozen: boolean): boolean {
  return readdirSync(stateDir).some((name) => name.startsWith(temporaryPrefix) || (name === freezeName && !isFrozen))
}

/** Remove what an interrupted freeze left beside one that counts. */
export function dropUnfinished(stateDir: string, isFrozen: boolean): void {
  for (const name of readdirSync(stateDir)) {
    const isSpare = name === freezeName && !isFrozen
    if (isSpare || name.startsWith(temporaryPrefix)) rmSync(join(stateDir, name), { recursive: true, force: true })
  }
}

/** The freeze of a state directory. Throws `BottleError` (exit 8) for one that is not whole. */
export async function openFreeze(stateDir: string): Promise<FreezeManifest> {
  return readManifest(join(freezeDir(stateDir), "manifest.json"))
}

async function storeArchive(
  dir: string,
  tree: TreeName,
  archive: AsyncIterable<Uint8Array>,
  list: ListWriter,
  limits: ArchiveLimits,
): Promise<StoredArchive> {
  const stored: StoredArchive = { file: `${tree}.tar`, bytes: 0, sha256: "", members: 0, left: 0 }
  const hash = new Bun.CryptoHasher("sha256")
  const file = await open(join(dir, stored.file), "wx", 0o600)
  try {
    const checked = checkArchive(archive, {
      tree,
      foreign: "mend",
      limits,
      member: (member) => {
        stored.members += 1
        list.add(tree, member)
      },
      left: () => {
        stored.left += 1
      },
    })
    for await (const piece of checked) {
      hash.update(piece)
      stored.bytes += piece.length
      await writeWhole(file, piece)
      await list.flush()
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { ...stored, sha256: hash.digest("hex") }
}

/** The list of files, a line of JSON each. */
class ListWriter {
  readonly #file: FileHandle
  readonly #hash = new Bun.CryptoHasher("sha256")
  #pending = ""

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<ListWriter> {
    return new ListWriter(await open(path, "wx", 0o600))
  }

  add(tree: TreeName, member: Member): void {
    this.#pending += `${JSON.stringify({ tree, ...member })}\n`
  }

  async flush(atLeast = listBuffer): Promise<void> {
    if (this.#pending.length < atLeast) return
    const bytes = Buffer.from(this.#pending)
    this.#pending = ""
    this.#hash.update(bytes)
    await writeWhole(this.#file, bytes)
  }

  async close(): Promise<{ sha256: string }> {
    await this.flush(1)
    await this.#file.sync()
    await this.#file.close()
    return { sha256: this.#hash.digest("hex") }
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

async function syncDir(path: string): Promise<void> {
  const dir = await open(path, "r")
  try {
    await dir.sync()
  } finally {
    await dir.close()
  }
}
