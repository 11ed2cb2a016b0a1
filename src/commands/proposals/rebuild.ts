import { buildAhead } from "../../bottle/proposals/build-ahead.ts"
import { launch, prepareStart, wishOfKept } from "../../bottle/start.ts"
import { spawnKeeper } from "../../bottle/start-keeper.ts"
import { StateDir } from "../../bottle/state.ts"
import { assertNotRunning } from "../../bottle/stop.ts"
import { refuseChanged } from "../../bottle/trust.ts"
import { ExitCode } from "../../lib/errors.ts"
import type { Shell } from "../_shell.ts"
import { runResume } from "../_start.ts"
import { startDeps } from "../_start-deps.ts"

/** The image of a Dockerfile that is about to be approved, built while the bottle still runs. */
export async function buildFirst(slug: string, dockerfile: string, network: boolean, shell: Shell): Promise<void> {
  const { name, reused } = await buildAhead(shell.paths, slug, { dockerfile, network }, (line) => shell.log.info(line))
  shell.log.info(`image: ${name}${reused ? ", as it was" : ""}`)
}

/** The bottle again, with that image: in this terminal, or without one up and waiting for `bottle attach`. */
export async function resumeNow(slug: string, json: boolean, shell: Shell): Promise<number> {
  if (shell.terminal.interactive && !json) {
    return runResume(slug, { dryRun: false, json: false, headless: false, prompt: undefined }, shell)
  }
  const wish = wishOfKept(shell.paths, slug, { headless: false, prompt: undefined })
  const deps = await startDeps({ ...shell, cwd: wish.cwd })
  await assertNotRunning(shell.paths, slug)
  const prepared = await prepareStart(wish, deps, slug, true)
  await refuseChanged(new StateDir(shell.paths.state(slug)).plan(), prepared.spec.agent?.origin, shell.paths)
  await launch(prepared, deps, spawnKeeper(slug), () => undefined, true)
  shell.log.info(`${slug}: up with its new image, and idle; go on: bottle attach ${slug}`)
  return ExitCode.ok
}
