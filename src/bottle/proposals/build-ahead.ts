import type { BuiltImage } from "../../backends/backend.ts"
import { realDisk } from "../../lib/disk.ts"
import { BottleError } from "../../lib/errors.ts"
import type { Paths } from "../../lib/paths.ts"
import { backendFor } from "../backends.ts"
import { BottleImage } from "../keeper/proposals/image/bottle-image.ts"
import { StateDir } from "../state.ts"

/**
 * Build a Dockerfile that an operator is about to approve, as the bottle's resume would, before anything is decided or
 * stopped: the resume then finds what was built. Throws `BottleError`; nothing has changed then.
 */
export async function buildAhead(
  paths: Paths,
  slug: string,
  wish: { dockerfile: string; network: boolean },
  say: (line: string) => void,
): Promise<BuiltImage> {
  const state = new StateDir(paths.state(slug))
  const plan = state.plan()
  const bounds = plan && new BottleImage(plan, state.path, realDisk).bounds()
  const backend = plan && (await backendFor(plan.backend.name))
  if (plan === undefined || bounds === undefined || backend?.buildImage === undefined) throw noImages(slug)
  const { dockerfile, network } = wish
  const { bases, args } = bounds
  const order = { name: plan.provider.template, origin: "the proposal", dockerfile, args, confined: { bases, network } }
  try {
    return await backend.buildImage(order, say, state.record())
  } catch (error) {
    if (!(error instanceof BottleError)) throw error
    throw new BottleError(error.message, {
      code: error.code,
      exit: error.exitCode,
      hint: `nothing was changed: ${slug} runs on, and the proposal is open`,
      cause: error,
    })
  }
}

function noImages(slug: string): BottleError {
  return new BottleError(`the backend of ${slug} builds no images`, { code: "no-images", exit: "denied" })
}
