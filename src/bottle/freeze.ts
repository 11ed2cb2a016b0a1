import { rmSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../lib/errors.ts"
import type { Paths } from "../lib/paths.ts"
import { askKeeper, isAtRest, unknownSlug } from "./client.ts"
import { type Frozen, finishFreeze, freezeBottle } from "./keeper/freezing/freeze.ts"
import { ownRestingBottle } from "./keeper/own.ts"
import { placeBottle } from "./keeper/place.ts"
import { StateDir } from "./state.ts"

/**
 * Make a running or kept bottle into one that is frozen. Undefined: it is already. Throws `BottleError`: exit 5 for an
 * unknown slug, else nothing has changed.
 */
export async function freeze(paths: Paths, slug: string): Promise<Frozen | undefined> {
  const state = new StateDir(paths.state(slug))
  if (!state.exists) throw unknownSlug(slug)
  if (!isAtRest(state)) {
    try {
      return (await askKeeper(paths, slug, { op: "freeze" })).frozen
    } catch (error) {
      // A keeper that was killed may have left a bottle at rest.
      if (!isAtRest(state) || (error instanceof BottleError && error.code === "freeze")) throw error
    }
  }
  return state.rest === "frozen" ? undefined : freezeAtRest(paths, state, slug)
}

async function freezeAtRest(paths: Paths, state: StateDir, slug: string): Promise<Frozen> {
  const lock = await ownRestingBottle(state.path)
  if (lock === undefined) throw busy(slug)
  try {
    if (!isAtRest(state)) throw busy(slug)
    const plan = state.plan()
    if (plan === undefined) throw unplanned(slug)
    const deps = await placeBottle(paths, plan)
    try {
      const frozen = await freezeBottle(deps, undefined)
      await finishFreeze(deps, undefined)
      return frozen
    } finally {
      rmSync(join(paths.runtimeRoot, slug), { recursive: true, force: true })
    }
  } finally {
    lock.release()
  }
}

function busy(slug: string): BottleError {
  return new BottleError(`something else is at work on ${slug}`, {
    code: "busy",
    exit: "failed",
    hint: "bottle list shows what becomes of it",
  })
}

function unplanned(slug: string): BottleError {
  return new BottleError(`${slug} has no plan that it could be resumed by`, {
    code: "no-plan",
    exit: "failed",
    hint: `bottle destroy ${slug}`,
  })
}
