import { join } from "node:path"
import type { LaunchSpec } from "../backend.ts"
import { pathsOf } from "./agent-boundary.ts"
import { type Boundary, bind, bindWritable } from "./boundary.ts"
import { networkParts, programParts, settingParts } from "./host-system.ts"

/** Paths as the supervisor sees them. */
const within = {
  home: "/home/sidecars",
  run: "/run/bottle",
  binary: "/run/bottle/bottle",
  sockets: "/run/bottle/net",
  control: "/run/bottle/ctl",
  config: "/run/bottle/config",
  filter: "/run/bottle/sidecars.bpf",
} as const

const temporaryBytes = 1024 ** 3

/** Their filter for system calls, beside the small files of /etc: each sidecar takes it on as it starts. */
export const sidecarFilter = "sidecars.bpf"

/** The sidecars' side: the host's network, and nothing of the operator's. Each sidecar is closed in further inside. */
export function sidecarBoundary(spec: LaunchSpec): Boundary {
  const paths = pathsOf(spec)
  return {
    shareNetwork: true,
    hostname: "sidecars",
    cwd: "/",
    dieWithParent: false,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: within.home, LANG: "C.UTF-8" },
    parts: [
      { kind: "proc" },
      { kind: "dev" },
      ...programParts(),
      ...settingParts(),
      ...networkParts(),
      bind(join(paths.etc, "passwd"), "/etc/passwd"),
      bind(join(paths.etc, "group"), "/etc/group"),
      { kind: "tmpfs", target: "/tmp", mode: 0o1777, size: temporaryBytes },
      { kind: "tmpfs", target: within.home, mode: 0o700, size: temporaryBytes },
      { kind: "dir", target: within.run, mode: 0o755 },
      bind(spec.binary, within.binary),
      bind(join(paths.etc, sidecarFilter), within.filter),
      bindWritable(paths.net, within.sockets),
      bindWritable(paths.control, within.control),
      bindWritable(paths.config, within.config),
      { kind: "remount-readonly", target: "/" },
    ],
    argv: [
      within.binary,
      "sidecar",
      ...["--control", `${within.control}/s`],
      ...["--sockets", within.sockets],
      ...["--config", within.config],
      ...["--isolate", "bwrap", "--filter", within.filter],
      ...spec.sidecars.flatMap((name) => ["--start", name]),
    ],
  }
}
