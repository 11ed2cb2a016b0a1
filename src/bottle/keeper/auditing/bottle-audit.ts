import type { AuditPen } from "../../../audit/open.ts"
import type { AuditEntry, AuditFact, AuditLog } from "../../../audit/types.ts"
import { closedFact, endFact, refusedFact } from "./facts.ts"
import type { RefusalCounts } from "./refusal-counts.ts"

/** How often new refusals are put on record while a bottle runs, in ms. */
const refusalsEvery = 5 * 60_000

/** The audit of one bottle as its keeper, or a command in its place, writes it. */
export class BottleAudit implements AuditLog {
  readonly #pen: AuditPen
  #counts: RefusalCounts | undefined
  #recorded = 0
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(pen: AuditPen) {
    this.#pen = pen
  }

  append(fact: AuditFact): Promise<AuditEntry> {
    return this.#pen.append(fact)
  }

  /** Returns why it could not be recorded; undefined: it was. */
  async tryAppend(fact: AuditFact): Promise<string | undefined> {
    try {
      await this.append(fact)
      return undefined
    } catch (error) {
      return `not in the audit: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** Record these counts now and then, and before the end. `onFailure`: they could not be. */
  follow(counts: RefusalCounts, onFailure: (error: unknown) => void): void {
    this.#counts = counts
    // What an earlier keeper of the bottle has counted, it has recorded.
    this.#recorded = counts.total
    this.#timer = setInterval(() => void this.#refusals().catch(onFailure), refusalsEvery)
    this.#timer.unref()
  }

  async ended(how: Parameters<typeof endFact>[0], reasons: readonly string[]): Promise<void> {
    await this.#refusals()
    await this.append(endFact(how, reasons))
  }

  async closed(reason: string): Promise<void> {
    await this.#refusals()
    await this.append(closedFact(reason))
  }

  close(): Promise<void> {
    clearInterval(this.#timer)
    return this.#pen.close()
  }

  async #refusals(): Promise<void> {
    const counts = this.#counts
    if (counts === undefined || counts.total === this.#recorded) return
    const { total } = counts
    await this.append(refusedFact(counts))
    this.#recorded = total
  }
}
