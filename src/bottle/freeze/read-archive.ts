import { createReadStream, statSync } from "node:fs"
import { join } from "node:path"
import type { TreeName } from "../../backends/backend.ts"
import { archiveLimits, checkArchive } from "./archive.ts"
import { brokenFreeze, type FreezeManifest } from "./manifest.ts"
import { freezeDir } from "./store.ts"

/**
 * A stored archive, checked while it is read: the same bytes as were written, and nothing in it but a plain tree. The
 * end, where a hash can first be compared, throws like the rest: `BottleError` (exit 8).
 */
export async function* readArchive(
  stateDir: string,
  manifest: FreezeManifest,
  tree: TreeName,
): AsyncGenerator<Uint8Array> {
  const stored = manifest.archives[tree]
  const path = join(freezeDir(stateDir), stored.file)
  if (statSync(path, { throwIfNoEntry: false })?.size !== stored.bytes)
    throw brokenFreeze(`${stored.file} has another size`)
  const hash = new Bun.CryptoHasher("sha256")
  const bytes = async function* () {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      hash.update(chunk as Buffer)
      yield chunk as Buffer
    }
  }
  try {
    yield* checkArchive(bytes(), {
      tree,
      foreign: "refuse",
      limits: archiveLimits,
      member: () => undefined,
      left: () => undefined,
    })
  } catch (error) {
    throw brokenFreeze(`${stored.file}: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  if (hash.digest("hex") !== stored.sha256) throw brokenFreeze(`${stored.file} is not what was frozen`)
}
