import { existsSync, readdirSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import type { Backend } from "../../../backends/backend.ts"
import { forgetLaunched } from "../../launched.ts"
import { StateDir } from "../../state.ts"

/** What says that the rest is to go, where it is, and who is at it: removed after everything else. */
const last = ["runtime.json", "keeper.json", "keeper.lock"]

/** Home and workspace: the only part of the state that was writable from inside. */
const agentTrees = "fs"

/** Remove a state directory so that a crash in between leaves one that still says it is being removed. */
export async function removeState(stateDir: string, backend: Backend): Promise<void> {
  if (!existsSync(stateDir)) return
  await backend.forget?.(basename(stateDir), new StateDir(stateDir).record())
  for (const name of readdirSync(stateDir)) {
    const path = join(stateDir, name)
    // Only what the agent wrote takes a backend, and a process, to remove safely.
    if (name === agentTrees) await backend.removeTree(path)
    else if (!last.includes(name)) rmSync(path, { recursive: true, force: true })
  }
  for (const name of last) rmSync(join(stateDir, name), { force: true })
  rmSync(stateDir, { recursive: true, force: true })
  forgetLaunched(stateDir)
}
