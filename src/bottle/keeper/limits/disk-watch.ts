import type { DiskMeter } from "../../../backends/backend.ts"

/**
 * A look at the free space of the file system costs microseconds, measuring two trees as much as the agent makes it
 * cost: the look is often, the measuring when the look says that half of what is left may be gone, or after a while.
 */
const every = { look: 250, measure: 15_000, away: 5_000 } as const
/** Of the time, how much goes into measuring at most: one part in so many. */
const restFactor = 5
/** Measurements in a row that were not to be had before the limit counts as reached. */
const patience = 4

export interface DiskWatchDeps {
  meter: DiskMeter
  /** Bytes. */
  limit: number
  onReached(why: string): void
}

/** Holds `limits.disk`: what home and workspace take together, as the file system counts it. */
export class DiskWatch {
  #stopped = false

  constructor(deps: DiskWatchDeps) {
    void this.#watch(deps).catch((error: unknown) => {
      if (!this.#stopped)
        deps.onReached(`limits.disk cannot be held: ${error instanceof Error ? error.message : error}`)
    })
  }

  stop(): void {
    this.#stopped = true
  }

  async #watch({ meter, limit, onReached }: DiskWatchDeps): Promise<void> {
    for (let failures = 0; !this.#stopped; ) {
      const startedAt = performance.now()
      const seen = await Promise.all([meter.free(), meter.measure()]).catch(() => undefined)
      if (this.#stopped) return
      if (seen === undefined) {
        await this.#wait(meter, 0, every.away)
        continue
      }
      const [free, { bytes: used, complete }] = seen
      if (used > limit) return onReached(`limits.disk of ${inWords(limit)} reached: ${inWords(used)} used`)
      failures = complete ? 0 : failures + 1
      if (failures >= patience) return onReached("limits.disk cannot be held: the agent's files cannot be measured")
      const cost = performance.now() - startedAt
      await this.#wait(meter, free - (limit - used) / 2, cost * restFactor)
    }
  }

  /** Until the free space falls below `floor`, but not before `rest` ms; or until it is time again. */
  async #wait(meter: DiskMeter, floor: number, rest: number): Promise<void> {
    const startedAt = performance.now()
    for (;;) {
      await Bun.sleep(every.look)
      const waited = performance.now() - startedAt
      if (this.#stopped || waited > Math.max(every.measure, rest)) return
      if (waited >= rest && ((await meter.free().catch(() => undefined)) ?? 0) < floor) return
    }
  }
}

/** Bytes as they are written in a manifest: `10m`. */
function inWords(bytes: number): string {
  for (const [unit, size] of [
    ["g", 2 ** 30],
    ["m", 2 ** 20],
    ["k", 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1).replace(/\.0$/, "")}${unit}`
  }
  return `${bytes} bytes`
}
