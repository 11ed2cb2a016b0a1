import { callAt } from "../../src/lib/call-at.ts"
import type { EgressPolicy } from "../../src/policy/types.ts"
import { withoutOnce } from "../../src/policy/widen.ts"
import type { LaterPolicy } from "../control.ts"

/**
 * What changes a policy without the keeper: time, and requests that use up a rule. Held here because a keeper may be
 * dead when an approval runs out.
 */
export class PolicyClock {
  readonly #put: (policy: EgressPolicy) => Promise<void>
  readonly #used = new Set<string>()
  #disarm: (() => void)[] = []

  /** `put` puts a policy in force; it is called again for one that failed while its sidecar was coming back. */
  constructor(put: (policy: EgressPolicy) => Promise<void>) {
    this.#put = put
  }

  /** A request used this rule up: no policy has it any more. */
  use(id: string): void {
    this.#used.add(id)
  }

  /** Ids of the rules that were used up. */
  get used(): string[] {
    return [...this.#used]
  }

  /** A policy without what was used up. */
  current(policy: EgressPolicy): EgressPolicy {
    return withoutOnce(policy, this.#used)
  }

  /** Replace what is to come. */
  set(later: readonly LaterPolicy[]): void {
    for (const off of this.#disarm) off()
    this.#disarm = later.map(({ at, policy }) => callAt(Date.parse(at), () => this.#put(this.current(policy))))
  }
}
