import { readFile } from "node:fs/promises"
import { homedir } from "node:os"
import { BottleError } from "../../../../lib/errors.ts"
import type { Paths } from "../../../../lib/paths.ts"
import type { Change } from "../../../../proposals/grants.ts"
import { type BottleText, type PlannedSave, planSave } from "../../../../proposals/save/plan-save.ts"
import type { Plan } from "../../../plan-types.ts"
import type { ProposalDesk } from "../desk.ts"

/** The operator's own files that a bottle's policy comes from, as they are now, in merge order; never a repository's. */
export async function bottleFiles(paths: Paths, plan: Plan): Promise<BottleText[]> {
  const { createManifests } = await import("../../../../manifest/load.ts")
  const manifests = createManifests({ home: paths.home, userHome: process.env.HOME || homedir(), cwd: paths.home })
  const { origins } = await manifests.loadBottles(plan.bottles)
  const own = origins.filter(({ scope }) => scope === "home")
  return Promise.all(own.map(async ({ path, display }) => ({ path, display, text: await readFile(path, "utf8") })))
}

/** How a change would be saved, or why it cannot be. */
export async function planSaveOf(change: Change, desk: ProposalDesk): Promise<PlannedSave> {
  try {
    return await planSave(change, desk.decider.policy, await desk.files())
  } catch (error) {
    if (!(error instanceof BottleError)) throw error
    return { kind: "refused", why: `the bottle's file is not right: ${error.message}`, hint: "mend it: bottle edit" }
  }
}
