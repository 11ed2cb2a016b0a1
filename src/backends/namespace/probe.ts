import { existsSync, readFileSync } from "node:fs"
import type { Availability } from "../backend.ts"
import type { Boundary } from "./boundary.ts"
import { startBoundary, type Tools } from "./bwrap.ts"
import { programParts } from "./host-system.ts"
import type { Identity } from "./identity.ts"

/** First version with everything that we ask of it (`--size`, `--perms`). */
const oldest = [0, 8] as const

export interface ProbeDeps {
  tools: Tools
  become: Identity | undefined
  seccomp: Uint8Array
  scratch: string
  marker: string
  warnings: readonly string[]
}

/** Build and leave a small boundary, which is the only honest way to know that one can be built here. */
export async function tryBoundary(deps: ProbeDeps): Promise<Availability> {
  const version = Bun.spawn([deps.tools.bwrap, "--version"], { stdio: ["ignore", "pipe", "ignore"], env: {} })
  const { monitor } = startBoundary({
    ...deps,
    boundary: smallBoundary(),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  })
  const said = monitor.stderr instanceof ReadableStream ? await new Response(monitor.stderr).text() : ""
  const code = await monitor.exited
  const found = (await new Response(version.stdout).text()).trim()
  if (isTooOld(found)) {
    return {
      usable: false,
      reason: `${found} is too old; ${oldest.join(".")} is needed`,
      remedy: "upgrade bubblewrap, from Debian 12, Ubuntu 23.04 or later",
    }
  }
  if (code === 0) return { usable: true, detail: found, warnings: deps.warnings }
  return {
    usable: false,
    ...explainFailure(said, (path) => (existsSync(path) ? readFileSync(path, "utf8").trim() : undefined)),
  }
}

function smallBoundary(): Boundary {
  return {
    parts: [
      { kind: "proc" },
      { kind: "dev" },
      ...programParts(),

      { kind: "tmpfs", target: "/tmp", mode: 0o1777, size: 4096 },
    ],
    shareNetwork: false,
    hostname: "bottle",
    cwd: "/",
    dieWithParent: true,
    env: {},
    argv: ["/usr/bin/true"],
  }
}

export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = (version.match(/(\d+)\.(\d+)/)?.slice(1) ?? []).map(Number)
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1])
}

/** From what bubblewrap said and how this kernel is set: the reason and what would mend it. */
export function explainFailure(
  said: string,
  setting: (path: string) => string | undefined,
): { reason: string; remedy: string } {
  if (setting("/proc/sys/kernel/unprivileged_userns_clone") === "0") {
    return {
      reason: "unprivileged user namespaces are switched off (kernel.unprivileged_userns_clone is 0)",
      remedy: "sysctl -w kernel.unprivileged_userns_clone=1",
    }
  }
  if (setting("/proc/sys/user/max_user_namespaces") === "0") {
    return {
      reason: "user namespaces are switched off (user.max_user_namespaces is 0)",
      remedy: "sysctl -w user.max_user_namespaces=15000",
    }
  }
  if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return {
      reason: "AppArmor restricts unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)",
      remedy:
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile that grants bwrap userns",
    }
  }
  const line = said.trim().split("\n").at(-1) ?? ""
  if (/Can't mount proc/.test(line)) {
    return {
      reason: "a private /proc cannot be mounted here (a container that masks parts of it?)",
      remedy: "run bottle on the host, or let the container see /proc unmasked",
    }
  }
  return {
    reason: line === "" ? "bubblewrap failed and said nothing" : line,
    remedy: "run `bwrap --unshare-all --ro-bind / / true` to see it fail alone",
  }
}
