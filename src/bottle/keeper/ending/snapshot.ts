import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { writeFileAtomic } from "../../../lib/atomic-file.ts"
import { snapshotTranscripts, treePaths } from "../../workspace.ts"
import type { EndDeps } from "./end.ts"

/** Take the provider's session files out of the bottle's home. What goes wrong is a warning: the home itself is kept. */
export async function snapshot({ backend, plan, spec, state }: EndDeps): Promise<string[]> {
  try {
    const home = treePaths.home(spec.stateDir)
    const { tar, missing } = await snapshotTranscripts(backend, plan.slug, home, plan.transcripts)
    mkdirSync(join(state.path, "transcript"), { recursive: true, mode: 0o700 })
    if (tar !== undefined) await writeFileAtomic(join(state.path, "transcript", "session.tar"), tar)
    return missing.map((name) => `no session files at ~/${name}`)
  } catch (error) {
    return [`the session was not snapshotted: ${error instanceof Error ? error.message : String(error)}`]
  }
}
