import type { RunningBottle } from "../../../backends/backend.ts"
import type { EndDeps } from "../ending/end.ts"
import type { Settled } from "../protocol.ts"
import { type Frozen, finishFreeze, freezeBottle } from "./freeze.ts"

/** The freeze of a running bottle, against everything else that can end it meanwhile: one is done after the other. */
export class Freezing {
  readonly #deps: EndDeps
  readonly #settle: () => Promise<Settled>
  #bottle: RunningBottle | undefined
  #under: Promise<Frozen> | undefined

  /** `settle` ends the bottle through its keeper, which comes back to `orEnd`. */
  constructor(deps: EndDeps, settle: () => Promise<Settled>) {
    this.#deps = deps
    this.#settle = settle
  }

  get active(): boolean {
    return this.#under !== undefined
  }

  /** Freeze it and end it. Throws `BottleError`; then it goes on as before. Who asks meanwhile gets the same answer. */
  async freeze(bottle: RunningBottle): Promise<{ frozen: Frozen; settled: Settled }> {
    this.#bottle = bottle
    this.#under ??= freezeBottle(this.#deps, bottle)
    try {
      const frozen = await this.#under
      return { frozen, settled: await this.#settle() }
    } catch (error) {
      this.#under = undefined
      throw error
    }
  }

  /** A freeze that is under way is waited for. If it came to one, that is the end of the bottle, unless not wanted. */
  async orEnd(wanted: boolean, end: () => Promise<Settled>): Promise<Settled> {
    const frozen = await this.#under?.then(
      () => true,
      () => false,
    )
    return frozen === true && wanted ? finishFreeze(this.#deps, this.#bottle) : end()
  }
}
