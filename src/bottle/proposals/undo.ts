import { rmSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import type { Paths } from "../../lib/paths.ts"
import { isAtRest } from "../client.ts"
import { ownRestingBottle } from "../keeper/own.ts"
import { placeBottle } from "../keeper/place.ts"
import { openDesk } from "../keeper/proposals/proposals.ts"
import type { Outcome } from "../keeper/proposals/wire.ts"
import { StateDir } from "../state.ts"
import { change, operator } from "./ask.ts"

/** Take back what line `seq` of the audit decided; a bottle at rest has no keeper to ask, and its image can be changed. */
export async function undo(paths: Paths, slug: string, seq: number): Promise<Outcome> {
  const state = new StateDir(paths.state(slug))
  const by = operator()
  return state.exists && isAtRest(state)
    ? undoAtRest(paths, state, slug, seq, by)
    : change(paths, slug, { op: "undo", seq, by })
}

async function undoAtRest(paths: Paths, state: StateDir, slug: string, seq: number, by: string): Promise<Outcome> {
  const lock = await ownRestingBottle(state.path)
  const plan = state.plan()
  if (lock === undefined || !isAtRest(state) || plan === undefined) {
    lock?.release()
    throw new BottleError(`something else is at work on ${slug}`, { code: "busy", exit: "failed", hint: "bottle list" })
  }
  try {
    const deps = await placeBottle(paths, plan)
    try {
      const desk = await openDesk(deps, () => undefined)
      // What its end could not finish is finished first.
      await desk.decider.startAfresh()
      const { outcome } = await desk.answer({ op: "undo", seq, by })
      return outcome ?? { kind: "unknown" }
    } finally {
      await deps.audit.close()
      rmSync(join(paths.runtimeRoot, slug), { recursive: true, force: true })
    }
  } finally {
    lock.release()
  }
}
