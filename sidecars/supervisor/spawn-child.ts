import { closeSync, openSync } from "node:fs"
import { dirname } from "node:path"
import type { SidecarName } from "../control.ts"

export interface ChildPlace {
  /** Path of the supervisor's control socket; hidden from the child. */
  control: string
  /** Directory in which sidecars make their sockets. */
  sockets: string
  /**
   * SECURITY 6. `bwrap`: a user and PID namespace of its own. `uid`: a user of its own, for a supervisor that may change
   * users. `none`: not at all, for tests.
   */
  isolate: "bwrap" | "uid" | "none"
  /** A compiled filter for system calls that each sidecar starts under; with `bwrap` only. */
  filter?: string
  /** The sidecars of this bottle. */
  sidecars: readonly SidecarName[]
  /** Directory for what the agent may read of its policy; absent: nothing is written. */
  config?: string
}

/** The descriptor by which bubblewrap gets the filter. */
const filterFd = 3

/** Sidecars without any network: a namespace of their own here, and where that cannot be had a filter (`no-network.ts`). */
const offline: readonly SidecarName[] = ["supervise"]

/** Users of the sidecars where each is one of its own: nobody's elsewhere in that boundary. */
const users: Readonly<Record<SidecarName, number>> = { egress: 2001, supervise: 2002, "git-gate": 2003, forge: 2004 }

/**
 * argv that runs one sidecar apart from its siblings and from the supervisor: it sees the supervisor's files without
 * the control socket, no process but its own, and dies with its parent.
 */
export function childArgv(name: SidecarName, binary: string, place: ChildPlace): string[] {
  const run = [binary, "sidecar", "--child", name]
  if (place.isolate === "none") return run
  if (place.isolate === "uid") return [...run, "--user", String(users[name])]
  return [
    "bwrap",
    ...["--unshare-user", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session"],
    ...(offline.includes(name) ? ["--unshare-net"] : []),
    ...(place.filter === undefined ? [] : ["--seccomp", String(filterFd)]),
    ...["--cap-drop", "ALL", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"],
    ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
    ...["--tmpfs", dirname(place.control), "--bind", place.sockets, place.sockets],
    "--",
    ...run,
  ]
}

/** Start a sidecar's process. */
export function spawnChild(
  name: SidecarName,
  binary: string,
  place: ChildPlace,
): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  const start = (...more: number[]) =>
    Bun.spawn(childArgv(name, binary, place), {
      stdio: ["pipe", "pipe", "pipe", ...more],
      env: { PATH: "/usr/bin:/bin" },
    })
  if (place.filter === undefined) return start()
  const filter = openSync(place.filter, "r")
  try {
    return start(filter)
  } finally {
    closeSync(filter)
  }
}
