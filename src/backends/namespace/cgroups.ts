import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import type { Limits } from "../backend.ts"
import type { LimitReport } from "./record.ts"

/** The limits that control groups can hold. */
const controllers = ["memory", "cpu", "pids"] as const
type Controller = (typeof controllers)[number]
const limitOf = { memory: "memory", cpu: "cpus", pids: "pids" } as const

/** Where groups can be made on this machine: a parent directory for each controller that is ours to use. */
export type CgroupHost = Readonly<Partial<Record<Controller, { version: 1 | 2; parent: string }>>>

export interface CgroupSources {
  /** Text of /proc/self/mountinfo. */
  mountinfo: string
  /** Text of /proc/self/cgroup. */
  own: string
}

/** Look where this process may make groups: below its own (v1), or in the nearest delegated ancestor (v2). */
export function findCgroups({ mountinfo, own }: CgroupSources): CgroupHost {
  const mounts = mountinfo.split("\n").flatMap(parseMount)
  const found: Partial<Record<Controller, { version: 1 | 2; parent: string }>> = {}
  for (const controller of controllers) {
    const parent = legacyParent(controller, mounts, own)
    if (parent !== undefined) found[controller] = { version: 1, parent }
  }
  const unified = mounts.find((mount) => mount.type === "cgroup2")
  const path = own.match(/^0::(.*)$/m)?.[1]
  if (unified === undefined || path === undefined) return found
  for (const controller of controllers) {
    const parent = delegatedParent(controller, unified.target, resolve(unified.target, `.${path}`))
    if (found[controller] === undefined && parent !== undefined) found[controller] = { version: 2, parent }
  }
  return found
}

interface CgroupMount {
  target: string
  type: string
  options: string[]
}

function parseMount(line: string): CgroupMount[] {
  const [left, right] = line.split(" - ")
  const target = left?.split(" ")[4]
  const [type, , options] = right?.split(" ") ?? []
  if (target === undefined || (type !== "cgroup" && type !== "cgroup2")) return []
  return [{ target, type, options: options?.split(",") ?? [] }]
}

function legacyParent(controller: Controller, mounts: readonly CgroupMount[], own: string): string | undefined {
  const mount = mounts.find((candidate) => candidate.type === "cgroup" && candidate.options.includes(controller))
  if (mount === undefined) return undefined
  const line = own.split("\n").find((row) => row.split(":")[1]?.split(",").includes(controller))
  const path = line?.split(":").slice(2).join(":") ?? "/"
  // In a container the path may be the host's, and the mount begins at our own group.
  return [resolve(mount.target, `.${path}`), mount.target].find(isUsable)
}

function delegatedParent(controller: Controller, root: string, own: string): string | undefined {
  for (let at = own; at.startsWith(root); at = dirname(at)) {
    // Processes move only where both ends and what joins them are ours.
    if (!isUsable(at) || !isUsable(join(at, "cgroup.procs"))) continue
    if (readWords(join(at, "cgroup.subtree_control")).includes(controller)) return at
  }
  return undefined
}

const readWords = (path: string): string[] => {
  try {
    return readFileSync(path, "utf8").trim().split(/\s+/)
  } catch {
    return []
  }
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Limits that cannot be held here by control groups, with why: for `doctor` and the preflight. */
export function missingControllers(host: CgroupHost): string[] {
  return controllers.filter((controller) => host[controller] === undefined).map((controller) => limitOf[controller])
}

export interface HeldLimits {
  /** Directories of the groups made; each ends in `bot-bottle-<slug>`. */
  groups: string[]
  reports: LimitReport[]
  /** For the guest: `nproc=256`, where a group could not hold it. */
  guestLimits: string[]
}

/**
 * Make this bottle's groups and set its limits on them. What cannot be held is reported, never dropped: `pids` falls
 * back to the guest's own process limit, which the kernel counts per user and user namespace from 5.14 on.
 */
export function holdLimits(limits: Limits, slug: string, host: CgroupHost, countsPerNamespace: boolean): HeldLimits {
  const held: HeldLimits = { groups: [], reports: [], guestLimits: [] }
  for (const controller of controllers) {
    const limit = limitOf[controller]
    const value = limits[limit]
    if (value === undefined) continue
    const place = host[controller]
    const reason =
      place === undefined
        ? `no ${controller} control group is ours to use`
        : apply(place, controller, value, slug, held)
    if (reason === undefined) held.reports.push({ limit, enforced: true, detail: `control group v${place?.version}` })
    else if (limit === "pids" && countsPerNamespace) {
      held.guestLimits.push(`nproc=${value}`)
      held.reports.push({ limit, enforced: true, detail: "process limit of the boundary's user" })
    } else held.reports.push({ limit, enforced: false, detail: reason })
  }
  if (limits.disk !== undefined) held.reports.push({ limit: "disk", enforced: true, detail: "measured by the keeper" })
  return held
}

function apply(
  place: { version: 1 | 2; parent: string },
  controller: Controller,
  value: number,
  slug: string,
  held: HeldLimits,
): string | undefined {
  const group = join(place.parent, `bot-bottle-${slug}`)
  try {
    if (!existsSync(group)) mkdirSync(group)
    if (!held.groups.includes(group)) held.groups.push(group)
    for (const [file, text, needed] of settingsFor(controller, value, place.version)) {
      if (needed || existsSync(join(group, file))) writeFileSync(join(group, file), text)
    }
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const periodMicroseconds = 100_000

/** Files of a group to write, in order; the last word says whether its absence is a failure. */
function settingsFor(controller: Controller, value: number, version: 1 | 2): [string, string, boolean][] {
  const quota = String(Math.max(1000, Math.round(value * periodMicroseconds)))
  const whole = String(Math.floor(value))
  if (controller === "pids") return [["pids.max", whole, true]]
  if (version === 2) {
    return controller === "memory"
      ? [
          ["memory.max", whole, true],
          ["memory.swap.max", "0", false],
        ]
      : [["cpu.max", `${quota} ${periodMicroseconds}`, true]]
  }
  return controller === "memory"
    ? [
        ["memory.limit_in_bytes", whole, true],
        ["memory.memsw.limit_in_bytes", whole, false],
      ]
    : [
        ["cpu.cfs_period_us", String(periodMicroseconds), true],
        ["cpu.cfs_quota_us", quota, true],
      ]
}

/** Put a process into the groups. A process that is gone already is no error; anything else is. */
export function joinGroups(groups: readonly string[], pid: number): void {
  for (const group of groups) {
    try {
      writeFileSync(join(group, "cgroup.procs"), String(pid))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
    }
  }
}

/** Take the groups away once their processes are gone; the kernel may need a moment to notice. */
export async function removeGroups(groups: readonly string[]): Promise<void> {
  for (const group of groups) {
    for (let attempt = 0; attempt < 50 && existsSync(group); attempt++) {
      try {
        rmdirSync(group)
      } catch {
        await Bun.sleep(10)
      }
    }
  }
}

/** RLIMIT_NPROC is counted per user namespace from Linux 5.14 on; before, it counts all of the user's processes. */
export function countsPerNamespace(release: string): boolean {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10))
  return major > 5 || (major === 5 && minor >= 14)
}
