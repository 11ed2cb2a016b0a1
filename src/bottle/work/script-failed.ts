import type { SealedResult } from "../../backends/backend.ts"
import { BottleError } from "../../lib/errors.ts"
import { lastLine } from "../workspace.ts"

/** A script over a workspace that failed, in its own last words. */
export function scriptFailed(what: string, run: SealedResult): BottleError {
  const missing = run.exitCode === 127 || /: (git|bash|tar): (command )?not found/.test(run.stderr)
  return new BottleError(`${what}: ${lastLine(run)}`, {
    code: missing ? "missing-program" : "workspace",
    exit: missing ? "missingPart" : "failed",
    hint: missing
      ? "git, bash, tar and the GNU core programs are needed on this machine"
      : "bottle doctor looks at the sandbox",
  })
}
