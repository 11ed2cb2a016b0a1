import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import type { LaunchSpec } from "../backend.ts"
import { ownEtc, pathsOf } from "./agent-boundary.ts"
import { insideId } from "./boundary.ts"
import type { Identities, Identity } from "./identity.ts"

/**
 * Give a tree to a user. `chown -R -P -h` walks by descriptors and follows nothing, also in a tree of an agent's.
 */
export async function giveTree(dir: string, identity: Identity): Promise<void> {
  if (lstatSync(dir).uid === identity.uid && lstatSync(dir).gid === identity.gid) return
  if (readdirSync(dir).length > 0) {
    await runTool(["chown", "-R", "-P", "-h", `${identity.uid}:${identity.gid}`, "--", dir])
    return
  }
  lchownSync(dir, identity.uid, identity.gid)
}

/**
 * Remove a tree that an agent wrote. `rm -rf` goes by descriptors: no link is followed, no depth is too great.
 * Directories that the agent closed to their owner are opened first when needed. Throws when something is left.
 */
export async function removeTree(dir: string): Promise<void> {
  if (lstatSync(dir, { throwIfNoEntry: false }) === undefined) return
  if ((await runQuietly(["rm", "-rf", "--", dir])) === 0) return
  await runQuietly(["chmod", "-R", "u+rwX", "--", dir])
  await runTool(["rm", "-rf", "--", dir])
}

function runQuietly(argv: string[]): Promise<number> {
  return Bun.spawn(argv, { stdio: ["ignore", "ignore", "ignore"], env: { PATH: "/usr/bin:/bin" } }).exited
}

async function runTool(argv: string[]): Promise<void> {
  const child = Bun.spawn(argv, { stdio: ["ignore", "ignore", "pipe"], env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } })
  const said = await new Response(child.stderr).text()
  if ((await child.exited) === 0) return
  throw new BottleError(`${argv[0]} failed on ${argv.at(-1)}`, {
    code: "namespace-tree",
    exit: "failed",
    cause: said.slice(0, 500),
  })
}

/** Make the directories and small files that the two boundaries of a bottle are built from. */
export function prepareDirectories(spec: LaunchSpec, identities: Identities): void {
  const paths = pathsOf(spec)
  for (const dir of [paths.home, paths.workspace]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  }
  // Sockets of an earlier run would be taken for this one's.
  for (const dir of [paths.net, paths.control, paths.etc, paths.config]) {
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  }
  // Written by the sidecars' side, read by the agent.
  chmodSync(paths.config, 0o755)
  if (identities.dedicated) {
    lchownSync(paths.config, identities.sidecars.uid, identities.sidecars.gid)
    lchownSync(paths.net, identities.sidecars.uid, identities.sidecars.gid)
    lchownSync(paths.control, identities.sidecars.uid, identities.sidecars.gid)
    // The agent's user must pass through to the sockets, whose directory lists nothing to it.
    chmodSync(paths.net, 0o711)
  }
  writeEtc(paths.etc, spec)
}

/** The bottle's own /etc: one user, no other host, no resolver. */
function writeEtc(dir: string, spec: LaunchSpec): void {
  const user = `${spec.user}:x:${insideId}:${insideId}::${spec.home}:/bin/bash`
  const contents: Record<(typeof ownEtc)[number], string> = {
    passwd: `root:x:0:0::/nonexistent:/usr/sbin/nologin\n${user}\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n`,
    group: `root:x:0:\n${spec.user}:x:${insideId}:\nnogroup:x:65534:\n`,
    hosts: "127.0.0.1 localhost bottle\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nprotocols: files\nservices: files\n",
    "resolv.conf": "",
  }
  for (const name of ownEtc) {
    writeFileSync(join(dir, name), contents[name], { mode: 0o644 })
    chmodSync(join(dir, name), 0o644)
  }
  chmodSync(dir, 0o755)
}
