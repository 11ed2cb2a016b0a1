import { join } from "node:path"
import { openAudit } from "../../audit/open.ts"
import { openRuntimeDir, type Paths } from "../../lib/paths.ts"
import { backendFor } from "../backends.ts"
import { withFrozenSystem } from "../frozen-system.ts"
import type { Plan } from "../plan-types.ts"
import { StateDir } from "../state.ts"
import { BottleAudit } from "./auditing/bottle-audit.ts"
import type { EndDeps } from "./ending/end.ts"

/** Where the keeper of a bottle listens; its directory may not be there yet. */
export const keeperSocket = (paths: Paths, slug: string): string => join(paths.runtime(slug), "keeper.sock")

/** Everything about a bottle that follows from its plan: where it is, and what its backend is told. */
export async function placeBottle(paths: Paths, plan: Plan): Promise<EndDeps> {
  const runtimeDir = await openRuntimeDir(paths, plan.slug)
  const state = new StateDir(paths.state(plan.slug))
  const earlier = state.record()
  const docker = withFrozenSystem(plan, state.system)
  return {
    paths,
    plan,
    backend: await backendFor(plan.backend.name),
    state,
    audit: new BottleAudit(openAudit({ paths }, plan.slug)),
    socket: keeperSocket(paths, plan.slug),
    spec: {
      slug: plan.slug,
      stateDir: paths.state(plan.slug),
      runtimeDir,
      binary: process.execPath,
      home: plan.home,
      workspace: plan.workspace,
      user: plan.user,
      mounts: plan.mounts,
      ports: plan.ports,
      sidecars: plan.sidecars,
      limits: plan.limits,
      ...(earlier === undefined ? {} : { earlier }),
      ...(docker === undefined ? {} : { docker }),
    },
  }
}
