import { BottleError } from "../../../lib/errors.ts"
import { readArchive } from "../../freeze/read-archive.ts"
import { dropFreeze, openFreeze } from "../../freeze/store.ts"
import type { EndDeps } from "../ending/end.ts"

/**
 * Make the trees of a frozen bottle again, before anything of it is started. The marker still says `frozen`: whatever
 * fails or is cut short from here until the bottle is ready leaves the freeze, and is done again from it. Throws
 * `BottleError`, with exit 8 when the freeze is not as it was written.
 */
export async function thawBottle({ backend, state, spec }: EndDeps): Promise<void> {
  if (backend.freezer === undefined) {
    throw new BottleError(`the ${backend.name} backend cannot thaw a bottle`, {
      code: "freeze-backend",
      exit: "missingPart",
    })
  }
  const manifest = await openFreeze(state.path)
  let broken: unknown
  try {
    await backend.freezer.thaw(spec, async function* (tree) {
      try {
        yield* readArchive(state.path, manifest, tree)
      } catch (error) {
        broken = error
        throw error
      }
    })
  } catch (error) {
    await refreeze({ backend, state, spec })
    // A backend may see no more than that its input broke off.
    throw broken ?? error
  }
}

/** The bottle did not come up: it is frozen as before, and the trees that were made for it go. */
export async function refreeze({ backend, state, spec }: Pick<EndDeps, "backend" | "state" | "spec">): Promise<void> {
  await backend.freezer?.clear(spec, state.system?.name)
}

/** The bottle is up, its marker is gone: it is what runs that counts now. */
export function forgetFreeze({ state }: Pick<EndDeps, "state">): void {
  dropFreeze(state.path)
}
