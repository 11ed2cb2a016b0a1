import { existsSync } from "node:fs"
import { join } from "node:path"
import { type Disk, isTemporary, moveFile, replaceFile } from "../../lib/disk.ts"
import type { Proposal } from "../types.ts"
import {
  archivedIds,
  type Flood,
  floodFile,
  namesIn,
  proposalFile,
  readOpen,
  readProposal,
  readResponse,
  responseFile,
  type StoredResponse,
} from "./files.ts"

/** Who is told that a queue changed, once it has. */
export interface QueueChanges {
  asked?(id: string): void
  changed?(): void
}

/**
 * `queue/<slug>` as its one writer, the bottle's keeper, has it (DESIGN §7): open proposals in it, answered ones with
 * their answers in `archive/`. A proposal is open until its response stands beside it, and archiving moves the
 * proposal first: a crash between any two steps leaves one that reads as answered.
 */
export class Queue {
  readonly dir: string
  readonly #slug: string
  readonly #disk: Disk
  readonly #warn: (warning: string) => void
  readonly #changed: QueueChanges

  private constructor(dir: string, slug: string, disk: Disk, warn: (warning: string) => void, changed: QueueChanges) {
    this.#changed = changed
    this.dir = dir
    this.#slug = slug
    this.#disk = disk
    this.#warn = warn
  }

  /** Make the directories, sweep what a crash left half written, and finish archiving what was answered. */
  static async open(
    dir: string,
    slug: string,
    disk: Disk,
    warn: (warning: string) => void,
    changed: QueueChanges = {},
  ): Promise<Queue> {
    const queue = new Queue(dir, slug, disk, warn, changed)
    await disk.makeDir(queue.#archive)
    for (const name of namesIn(dir)) {
      if (isTemporary(name)) await disk.remove(join(dir, name))
      const answered = /^(p[0-9a-z]{10})\.response\.json$/.exec(name)?.[1]
      if (answered !== undefined) await queue.archive(answered)
    }
    const archived = new Set(namesIn(queue.#archive))
    for (const name of archived) {
      const id = /^(p[0-9a-z]{10})\.proposal\.json$/.exec(name)?.[1]
      // Its answer was taken back, and then somebody was killed.
      if (id !== undefined && !archived.has(responseFile(id))) await queue.reopen(id)
    }
    return queue
  }

  open(): Proposal[] {
    const { proposals, warnings } = readOpen(this.dir, this.#slug)
    for (const warning of warnings) this.#warn(warning)
    return proposals
  }

  /** An open proposal. */
  find(id: string): Proposal | undefined {
    if (existsSync(join(this.dir, responseFile(id)))) return undefined
    return this.#told(readProposal(this.dir, id, this.#slug))
  }

  /** The answer to a proposal, archived or about to be. */
  answer(id: string): StoredResponse | undefined {
    return this.#told(readResponse(this.dir, id)) ?? this.#told(readResponse(this.#archive, id))
  }

  archived(id: string): Proposal | undefined {
    return this.#told(readProposal(this.#archive, id, this.#slug))
  }

  async add(proposal: Proposal): Promise<void> {
    await replaceFile(this.#disk, join(this.dir, proposalFile(proposal.id)), json(proposal))
    this.#changed.asked?.(proposal.id)
  }

  /** The answer beside its proposal: from here on it is not open any more. */
  async respond(response: StoredResponse): Promise<void> {
    await replaceFile(this.#disk, join(this.dir, responseFile(response.proposal_id)), json(response))
    this.#changed.changed?.()
  }

  /** Say that more is refused, or that it is over. */
  async setFlood(flood: Flood | undefined): Promise<void> {
    const path = join(this.dir, floodFile)
    if (flood !== undefined) await replaceFile(this.#disk, path, json(flood))
    else if (existsSync(path)) await this.#disk.remove(path)
  }

  async archive(id: string): Promise<void> {
    for (const name of [proposalFile(id), responseFile(id)]) {
      const from = join(this.dir, name)
      if (existsSync(from)) await moveFile(this.#disk, from, join(this.#archive, name))
    }
  }

  /** Ids of those that ended with their bottle, undecided. */
  leftByEnd(): string[] {
    return archivedIds(this.dir).filter((id) => this.#told(readResponse(this.#archive, id))?.ended === true)
  }

  /** Open again what was archived without a decision; its answer is taken back first. */
  async reopen(id: string): Promise<void> {
    await this.#disk.remove(join(this.#archive, responseFile(id)))
    await moveFile(this.#disk, join(this.#archive, proposalFile(id)), join(this.dir, proposalFile(id)))
    this.#changed.changed?.()
  }

  get #archive(): string {
    return join(this.dir, "archive")
  }

  #told<T>(
    read: { kind: "read"; value: T } | { kind: "missing" } | { kind: "broken"; warning: string },
  ): T | undefined {
    if (read.kind === "broken") this.#warn(read.warning)
    return read.kind === "read" ? read.value : undefined
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
