import { existsSync } from "node:fs"
import { join } from "node:path"
import { type Disk, replaceFile } from "../../../../lib/disk.ts"
import { basesOf } from "../../../../policy/dockerfile/check.ts"
import { parseDockerfile } from "../../../../policy/dockerfile/parse.ts"
import type { ImageBounds } from "../../../../proposals/check.ts"
import { hashText } from "../../../../proposals/identity.ts"
import type { ImageWish } from "../../../../proposals/remedies/remedy.ts"
import {
  type ImageChange,
  imageChanges,
  imageRecord,
  ownDockerfile,
  readOwnDockerfile,
} from "../../../approved-image.ts"
import type { Plan } from "../../../plan-types.ts"
import { markerText, StateDir } from "../../../state.ts"

/** A decision's part in the image, as its intent keeps it. */
export interface ImageStep {
  /** The bottle's own Dockerfile from then on, and before: null for none. */
  to: string | null
  from: string | null
  /** The changes from then on; that of this decision gets its line once it is on record. */
  changes: readonly ImageChange[]
  /** The bottle is to end: it goes on with the other image when it is resumed. */
  stops: boolean
}

/** What the agent's image is made from, as decisions change it: the bottle's own Dockerfile, from its next launch on. */
export class BottleImage {
  readonly #plan: Plan
  readonly #state: StateDir
  readonly #disk: Disk

  constructor(plan: Plan, stateDir: string, disk: Disk) {
    this.#plan = plan
    this.#state = new StateDir(stateDir)
    this.#disk = disk
  }

  /** Undefined: there is none that could be changed. */
  bounds(): ImageBounds | undefined {
    const { build, image } = this.#plan.docker ?? {}
    if (build === undefined) return image === undefined ? undefined : { bases: [image], args: {} }
    const { confined, dockerfile, args } = build
    const parsed = parseDockerfile(dockerfile, args)
    return { bases: confined?.bases ?? (parsed.kind === "ok" ? basesOf(parsed) : []), args }
  }

  /** The Dockerfile that the next launch makes the image from; "" where there is none. */
  live(): string {
    const { build, image } = this.#plan.docker ?? {}
    return this.#own ?? build?.dockerfile ?? (image === undefined ? "" : `FROM ${image}\n`)
  }

  get changes(): ImageChange[] {
    return imageChanges(this.#state.path)
  }

  change(id: string, { dockerfile, network }: ImageWish): ImageStep {
    const own = this.#own
    const change: ImageChange = {
      ...{ id, seq: 0, sha256: hashText(dockerfile), network },
      before: { text: this.live(), own: own !== undefined },
    }
    return { to: dockerfile, from: own ?? null, changes: [...this.changes, change], stops: true }
  }

  /** Take the last change back; undefined: what stands there is not what it made. */
  revert(last: ImageChange): ImageStep | undefined {
    const own = this.#own
    if (own === undefined || hashText(own) !== last.sha256) return undefined
    const changes = this.changes.filter(({ id }) => id !== last.id)
    return { to: last.before.own ? last.before.text : null, from: own, changes, stops: false }
  }

  apply({ to }: ImageStep): Promise<void> {
    return this.#put(to)
  }

  /** Nobody was told: as if it had not been. */
  async takeBack({ to, from }: ImageStep): Promise<void> {
    if ((this.#own ?? null) === to) await this.#put(from)
  }

  /** Behind the record; each step may be repeated. A bottle that is about to end has its marker by then. */
  async finish({ changes, stops }: ImageStep, decision: string, seq: number): Promise<void> {
    const known = changes.map((change) => (change.id === decision ? { ...change, seq } : change))
    const text = `${JSON.stringify({ schemaVersion: 1, changes: known }, null, 2)}\n`
    await replaceFile(this.#disk, imageRecord(this.#state.path), text)
    const marker = join(this.#state.path, ".preserve")
    if (!stops || existsSync(marker)) return
    await replaceFile(this.#disk, marker, markerText([`line ${seq} of its audit changed its image`]))
  }

  get #own(): string | undefined {
    return readOwnDockerfile(this.#state.path)
  }

  #put(text: string | null): Promise<void> {
    const path = ownDockerfile(this.#state.path)
    return text === null ? this.#disk.remove(path) : replaceFile(this.#disk, path, text)
  }
}
