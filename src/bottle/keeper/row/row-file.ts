import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { KeeperStatus } from "../protocol.ts"
import { processOf, type Whereabouts } from "../whereabouts.ts"

/** What of a keeper's status a listing shows. */
export type LiveRow = Pick<KeeperStatus, "state" | "degraded" | "sidecars" | "refused">

/** In a bottle's runtime directory. */
const fileName = "row.json"
/** Shortest time between two writings, in ms: an agent can be refused thousands of times a second. */
const pause = 50

interface Written extends LiveRow {
  pid: number
  startTime: string
}

/**
 * What a keeper says of its bottle, kept in a file so that a listing of many needs no answer from each. Replaced as a
 * whole at every change; it counts only for the process that wrote it, so one that was killed leaves nothing false.
 */
export class RowFile {
  readonly #path: string
  readonly #status: () => LiveRow
  readonly #startTime: string
  /** What was last written. */
  #told = ""
  #refused = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(runtimeDir: string, status: () => LiveRow) {
    this.#path = join(runtimeDir, fileName)
    this.#status = status
    this.#startTime = processOf(process.pid).startTime
  }

  /** Something may have changed: it is written at once, or soon where only refusals were counted. Never throws. */
  readonly changed = (): void => {
    const { state, degraded, sidecars, refused } = this.#status()
    const told = JSON.stringify([state, degraded, sidecars])
    if (told === this.#told && (refused === this.#refused || this.#timer !== undefined)) return
    this.#told = told
    this.#refused = refused
    this.#write({ pid: process.pid, startTime: this.#startTime, state, degraded, sidecars, refused })
    this.#timer ??= this.#pause()
  }

  #pause() {
    const timer = setTimeout(() => {
      this.#timer = undefined
      this.changed()
    }, pause)
    timer.unref()
    return timer
  }

  #write(row: Written): void {
    try {
      writeFileSync(`${this.#path}.tmp`, JSON.stringify(row), { mode: 0o600 })
      renameSync(`${this.#path}.tmp`, this.#path)
    } catch {
      // On a full disk, or when the bottle is gone: without the file whoever lists asks this process.
      this.#told = ""
      rmSync(this.#path, { force: true })
    }
  }
}

/** What a living keeper last wrote; undefined: it has not, or is not one that goes on, and has to be asked. */
export function readRow(runtimeDir: string, where: Whereabouts | undefined): LiveRow | undefined {
  if (where === undefined) return undefined
  try {
    const { pid, startTime, ...row } = JSON.parse(readFileSync(join(runtimeDir, fileName), "utf8")) as Written
    if (pid !== where.pid || startTime !== where.startTime) return undefined
    const { runs, startTime: now } = processOf(pid)
    return runs && now === startTime ? row : undefined
  } catch {
    return undefined
  }
}
