import { lstatSync, realpathSync } from "node:fs"
import { dirname, isAbsolute, join, normalize, relative } from "node:path"
import { inside } from "../../../sidecars/guest/protocol.ts"
import { BottleError } from "../../lib/errors.ts"
import type { LaunchSpec, Mount } from "../backend.ts"
import { type Boundary, bind, bindWritable, type Part } from "./boundary.ts"
import { certificateLinks, programParts, settingParts } from "./host-system.ts"

/** Host paths of one bottle, in one place. */
export interface BottlePaths {
  home: string
  workspace: string
  /** Files of /etc that are made for this bottle. */
  etc: string
  net: string
  control: string
  /** What the agent may read of its policy. */
  config: string
}

export function pathsOf(spec: { stateDir: string; runtimeDir: string }): BottlePaths {
  return {
    home: join(spec.stateDir, "fs/home"),
    workspace: join(spec.stateDir, "fs/workspace"),
    etc: join(spec.runtimeDir, "etc"),
    net: join(spec.runtimeDir, "net"),
    control: join(spec.runtimeDir, "ctl"),
    config: join(spec.runtimeDir, "config"),
  }
}

/** Names of the files that `writeEtc` makes. */
export const ownEtc = ["passwd", "group", "hosts", "nsswitch.conf", "resolv.conf"] as const

const temporaryBytes = 4 * 1024 ** 3
const runBytes = 16 * 1024 ** 2

/** The agent's side: the host's programs read-only, its own home and workspace, and a network of loopback alone. */
export function agentBoundary(spec: LaunchSpec, guestLimits: readonly string[]): Boundary {
  const paths = pathsOf(spec)
  return {
    shareNetwork: false,
    hostname: "bottle",
    cwd: "/",
    dieWithParent: false,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: spec.home, LANG: "C.UTF-8" },
    parts: [
      { kind: "proc" },
      { kind: "dev" },
      ...programParts(),
      { kind: "dir", target: "/etc", mode: 0o755 },
      { kind: "dir", target: "/home", mode: 0o755 },
      ...settingParts(),
      ...ownEtc.map((name): Part => ({ kind: "symlink", to: `${inside.run}/etc/${name}`, target: `/etc/${name}` })),
      ...certificateLinks(inside.ca),
      { kind: "tmpfs", target: "/tmp", mode: 0o1777, size: temporaryBytes },
      { kind: "tmpfs", target: "/var/tmp", mode: 0o1777, size: temporaryBytes },
      { kind: "symlink", to: "/run", target: "/var/run" },
      { kind: "tmpfs", target: inside.run, mode: 0o755, size: runBytes },
      bind(spec.binary, inside.binary),
      bind(paths.etc, `${inside.run}/etc`),
      bind(paths.net, inside.sidecars),
      { kind: "dir", target: dirname(inside.config), mode: 0o755 },
      bind(paths.config, inside.config),
      { kind: "dir", target: dirname(inside.guestSocket), mode: 0o700 },
      bindWritable(paths.home, spec.home),
      bindWritable(paths.workspace, spec.workspace),
      ...spec.mounts.map((mount) => mountPart(mount, spec, paths)),
      { kind: "remount-readonly", target: "/" },
    ],
    argv: [
      inside.binary,
      "guest",
      ...["--socket", inside.guestSocket],
      ...Object.entries(spec.ports).flatMap(([port, name]) => ["--port", `${port}=${inside.sidecars}/${name}.sock`]),
      ...guestLimits.flatMap((limit) => ["--limit", limit]),
    ],
  }
}

const reserved = ["/proc", "/dev", "/sys", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", inside.run]

/**
 * A mount as it will be made. Which sources an operator may name is the plan's to decide; here is refused what would
 * undo the boundary whoever asked for it.
 */
function mountPart(mount: Mount, spec: LaunchSpec, paths: BottlePaths): Part {
  const refuse = (why: string): never => {
    throw new BottleError(`mount ${mount.source} to ${mount.target}: ${why}`, {
      code: "namespace-bad-mount",
      exit: "badManifest",
    })
  }
  const isUnder = (path: string, root: string) => path === root || path.startsWith(`${root}/`)
  if (!isAbsolute(mount.target) || normalize(mount.target) !== mount.target || mount.target === "/")
    refuse("not a clean absolute target")
  // A single file or directory below /usr or /etc is a tool's; these as a whole, and the kernel's, are the boundary's.
  if (
    reserved.includes(mount.target) ||
    ["/proc", "/dev", "/sys", inside.run, dirname(inside.config)].some((root) => isUnder(mount.target, root))
  ) {
    refuse("the target belongs to the boundary")
  }
  if (mount.target === spec.home || mount.target === spec.workspace) refuse("the target is the bottle's own")
  const found = lstatSync(mount.source, { throwIfNoEntry: false })
  if (found === undefined) return refuse("no such file or directory")
  const source = realpathSync(mount.source)
  const kind = lstatSync(source)
  if (!kind.isDirectory() && !kind.isFile()) refuse("neither a file nor a directory")
  for (const [target, tree] of [
    [spec.home, paths.home],
    [spec.workspace, paths.workspace],
  ] as const) {
    if (isUnder(mount.target, target) && crossesLink(tree, relative(target, mount.target)))
      refuse("a link lies in its way")
  }
  return { kind: "bind", source, target: mount.target, readonly: mount.readonly }
}

/**
 * Whether an agent left a link on the way to a mount point in its tree: bubblewrap would follow it while it still
 * sees the host. Nothing of the bottle runs yet, so that what is seen now stays so.
 */
function crossesLink(tree: string, path: string): boolean {
  let at = tree
  for (const part of path.split("/")) {
    at = join(at, part)
    const found = lstatSync(at, { throwIfNoEntry: false })
    if (found === undefined) return false
    if (found.isSymbolicLink()) return true
  }
  return false
}
