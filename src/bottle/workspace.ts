import { createHash } from "node:crypto"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Backend, SealedResult } from "../backends/backend.ts"

/** A listing that changes when any name, size, kind, mode, link or time in the tree does. */
const listArgv = ["find", ".", "-path", "./.git/index", "-prune", "-o", "-printf", "%P\\0%s\\0%y\\0%m\\0%T@\\0%l\\0\\n"]

/** The state of a workspace at launch, to tell at the end whether there is work in it. "" for one that began empty. */
export async function workspaceMark(backend: Backend, slug: string, workspace: string): Promise<string> {
  // The directory itself is ours: reading its names follows nothing that the agent made.
  if (readdirSync(workspace).length === 0) return ""
  const run = await backend.sealed(
    {
      argv: listArgv,
      mounts: [{ source: workspace, target: "/dst", readonly: true }],
      cwd: "/dst",
      maxOutput: 256 * 1024 * 1024,
      timeout: 120_000,
    },
    slug,
  )
  if (run.exitCode !== 0) throw new Error(`the workspace could not be listed: ${lastLine(run)}`)
  return createHash("sha256").update(run.stdout).digest("hex")
}

/** Snapshot home-relative directories as one tar; the names that were not there are returned. */
export async function snapshotTranscripts(
  backend: Backend,
  slug: string,
  home: string,
  directories: readonly string[],
): Promise<{ tar: Uint8Array | undefined; missing: string[] }> {
  if (directories.length === 0) return { tar: undefined, missing: [] }
  const script =
    'for name do if [ -d "$name" ] && [ ! -L "$name" ]; then set -- "$@" "$name"; else echo "$name" >&2; fi; shift; done; [ $# -eq 0 ] || exec tar -cf - -- "$@"'
  const run = await backend.sealed(
    {
      argv: ["bash", "-c", script, "snapshot", ...directories],
      mounts: [{ source: home, target: "/home", readonly: true }],
      cwd: "/home",
      maxOutput: 256 * 1024 * 1024,
      timeout: 60_000,
    },
    slug,
  )
  const missing = directories.filter((name) => run.stderr.split("\n").includes(name))
  if (run.exitCode !== 0) throw new Error(`the session files could not be read: ${lastLine(run)}`)
  return { tar: run.stdout.length > 0 ? run.stdout : undefined, missing }
}

/** Inside a state directory, on the host. */
export const treePaths = {
  home: (stateDir: string) => join(stateDir, "fs", "home"),
  workspace: (stateDir: string) => join(stateDir, "fs", "workspace"),
}

/** The last words of a run that failed. */
export function lastLine(run: SealedResult): string {
  return run.stderr.trim().split("\n").at(-1)?.slice(0, 200) || `exit ${run.exitCode}`
}
