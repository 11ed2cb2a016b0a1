import type { Backend, RunningBottle } from "../../../backends/backend.ts"
import { callAt } from "../../../lib/call-at.ts"
import type { Plan } from "../../plan-types.ts"
import { DiskWatch } from "./disk-watch.ts"
import { hostMeter } from "./measure-trees.ts"

export interface LimitDeps {
  backend: Backend
  spec: { stateDir: string }
  plan: Plan
  bottle: RunningBottle
  startedAt: Date
  onReached(why: string): void
}

/** The limits that the keeper itself holds, as long as the bottle runs. Returns how to let go of them. */
export function holdLimits(deps: LimitDeps): () => void {
  const { plan, bottle, startedAt, onReached } = deps
  const { wall_clock: seconds, disk } = plan.limits
  const letGo: (() => void)[] = []
  if (seconds !== undefined) {
    // From the start of the bottle, also over a change of keepers.
    const end = startedAt.getTime() + seconds * 1000
    letGo.push(callAt(end, () => onReached(`limits.wall_clock of ${seconds} s reached`)))
  }
  if (disk !== undefined) {
    const meter = bottle.disk ?? hostMeter(deps.backend, plan.slug, deps.spec.stateDir, bottle)
    const watch = new DiskWatch({ meter, limit: disk, onReached })
    letGo.push(() => watch.stop())
  }
  return () => {
    for (const end of letGo) end()
  }
}
