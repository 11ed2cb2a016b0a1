import { BottleError } from "../../../lib/errors.ts"
import { type OpenWorkspace, workspaceMounts } from "../open-workspace.ts"
import { scriptFailed } from "../script-failed.ts"
import { readRefusals, readScript } from "./scripts.ts"
import type { WorkRef } from "./types.ts"

/** What the workspace's repository holds, as it says itself. */
export interface WorkspaceWord {
  /** Objects that were copied in with the working directory. */
  known: string[]
  refs: WorkRef[]
  /** The branch that the agent was on. */
  current: string | undefined
  /** The commit that was made of what was not committed. */
  wip: string | undefined
  uncommitted: number
  nested: number
}

const limits = { output: 256 * 2 ** 20, milliseconds: 1_800_000 }

/** Read refs and state of the workspace's repository in a sandbox. Throws `BottleError` when there is nothing to pull from. */
export async function readWorkspace(open: OpenWorkspace, wip: boolean): Promise<WorkspaceWord> {
  const run = await open.backend.sealed(
    {
      argv: ["bash", "-c", readScript, "pull", wip ? "wip" : "committed"],
      // Not the operator's objects: what is pulled must be in the workspace.
      mounts: workspaceMounts(open).filter(({ target }) => target !== "/known"),
      cwd: "/",
      maxOutput: limits.output,
      timeout: limits.milliseconds,
    },
    open.slug,
  )
  const refused = readRefusals[run.exitCode]
  if (refused !== undefined) {
    const { message, hint } = refused
    throw new BottleError(`${open.slug}: ${message}`, { code: "no-repository", exit: "failed", hint })
  }
  if (run.exitCode !== 0) throw scriptFailed("the workspace's repository could not be read", run)
  return parseWord(new TextDecoder().decode(run.stdout))
}

/** Records that are not as they should be are left out: the rest decides. */
export function parseWord(text: string): WorkspaceWord {
  const word: WorkspaceWord = { known: [], refs: [], current: undefined, wip: undefined, uncommitted: 0, nested: 0 }
  for (const record of text.split("\0")) {
    const [kind, first = "", ...rest] = record.trimStart().split(" ")
    const isOid = /^[0-9a-f]{40}$/.test(first)
    if (kind === "known" && isOid) word.known.push(first)
    else if (kind === "ref" && isOid) word.refs.push({ oid: first, ref: rest.join(" ") })
    else if (kind === "head" && isOid) word.refs.push({ oid: first, ref: "refs/HEAD" })
    else if (kind === "current") word.current = first
    else if (kind === "wip" && isOid) word.wip = first
    else if (kind === "uncommitted" && /^\d+$/.test(first)) word.uncommitted = Number(first)
    else if (kind === "nested" && /^\d+$/.test(first)) word.nested = Number(first)
  }
  return word
}
