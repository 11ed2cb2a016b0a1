import { readFileSync } from "node:fs"
import type { AuditFact } from "../../../audit/types.ts"
import { type Disk, replaceFile } from "../../../lib/disk.ts"
import type { Grant } from "../../../proposals/grants.ts"
import type { StoredResponse } from "../../../proposals/queue/files.ts"
import type { ImageStep } from "./image/bottle-image.ts"

/**
 * One decision under way, on disk from before its first step until after its last: whoever comes after a crash
 * finishes it or takes it back, once.
 */
export interface Intent {
  schemaVersion: 1
  /** In the audit's `detail.decision`: how it is told whether it is on record. */
  decision: string
  /** Grants from then on; absent: nothing is to be applied. */
  grants?: readonly Grant[]
  /** Hash of the policy that has to be acknowledged. */
  to?: string
  /** What it makes of the agent's image. */
  image?: ImageStep
  fact: AuditFact
  response?: StoredResponse
}

/** A file of one JSON value that is replaced as a whole, or is not there. */
export class JsonFile<T> {
  readonly #path: string
  readonly #disk: Disk

  constructor(path: string, disk: Disk) {
    this.#path = path
    this.#disk = disk
  }

  read(): T | undefined {
    try {
      return JSON.parse(readFileSync(this.#path, "utf8")) as T
    } catch (error) {
      // Replaced as a whole: what does not parse was changed by somebody else, and is no ground to act on.
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined
      throw error
    }
  }

  write(value: T): Promise<void> {
    return replaceFile(this.#disk, this.#path, `${JSON.stringify(value, null, 2)}\n`)
  }

  remove(): Promise<void> {
    return this.#disk.remove(this.#path)
  }
}
