import { readFileSync, readlinkSync } from "node:fs"
import type { Probe } from "../backend.ts"
import type { Boundary } from "./boundary.ts"
import { childrenOf } from "./host-processes.ts"

/** What the host reads of a process, so that the judgement is made on data. */
export interface ProcessView {
  netDev: string
  status: string
  mountinfo: string
  /** Name to what the link in /proc/<pid>/ns says. */
  namespaces: Readonly<Record<string, string>>
}

const namespaceNames = ["user", "net", "pid", "mnt", "ipc", "uts"] as const

/** Read all that the proof looks at. Throws when the process is gone or hidden. */
export function viewProcess(pid: number | "self"): ProcessView {
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8")
  return {
    netDev: read("net/dev"),
    status: read("status"),
    mountinfo: read("mountinfo"),
    namespaces: Object.fromEntries(namespaceNames.map((name) => [name, readlinkSync(`/proc/${pid}/ns/${name}`)])),
  }
}

/**
 * The outside half of the fence proof: what the kernel tells the host of every process in the agent's boundary, which
 * nothing inside can forge. `init` is the boundary's first process.
 */
export function proveOutside(init: number, boundary: Boundary): Probe[] {
  try {
    const guests = childrenOf(init)
    if (guests.length === 0) return [failed("guest-process", "the boundary is empty")]
    const host = viewProcess("self")
    const views = [init, ...guests].map((pid) => viewProcess(pid))
    return judge(views, host, boundary)
  } catch (error) {
    return [failed("look", error instanceof Error ? error.message : String(error))]
  }
}

const failed = (name: string, detail: string): Probe => ({ side: "outside", name, ok: false, detail })

/** The judgement itself: one probe a property, which holds only when it holds for every process. */
export function judge(views: readonly ProcessView[], host: ProcessView, boundary: Boundary): Probe[] {
  const check = (name: string, good: string, look: (view: ProcessView) => string[]): Probe => {
    const wrong = [...new Set(views.flatMap(look))]
    return {
      side: "outside",
      name,
      ok: wrong.length === 0,
      detail: wrong.length === 0 ? good : wrong.slice(0, 5).join(", "),
    }
  }
  return [
    check("interfaces", "lo", (view) => interfaceFaults(view.netDev)),
    check("namespaces", "all its own", (view) =>
      namespaceNames.filter((name) => isShared(view, host, name)).map((name) => `${name} is the host's`),
    ),
    check("user", "not root", (view) => userFaults(view.status)),
    check("capabilities", "none", (view) => capabilityFaults(view.status)),
    check("no-new-privileges", "set", (view) => fieldFault(view.status, "NoNewPrivs", "1")),
    check("seccomp", "filtered", (view) => fieldFault(view.status, "Seccomp", "2")),
    check("mounts", "as planned", (view) => mountFaults(view.mountinfo, boundary)),
  ]
}

const isShared = (view: ProcessView, host: ProcessView, name: string): boolean =>
  view.namespaces[name] === undefined || view.namespaces[name] === host.namespaces[name]

function interfaceFaults(netDev: string): string[] {
  const names = netDev.split("\n").flatMap((line) => line.match(/^\s*([^\s:]+):/)?.[1] ?? [])
  return names.includes("lo") ? names.filter((name) => name !== "lo") : ["no lo", ...names]
}

const fieldOf = (status: string, name: string): string =>
  status.match(new RegExp(`^${name}:\\s*(.*)$`, "m"))?.[1] ?? "missing"

function fieldFault(status: string, name: string, wanted: string): string[] {
  const value = fieldOf(status, name)
  return value === wanted ? [] : [`${name} ${value}`]
}

function userFaults(status: string): string[] {
  return ["Uid", "Gid"].flatMap((name) => {
    const ids = fieldOf(status, name).split(/\s+/)
    return ids.length === 4 && ids.every((id) => /^[1-9]\d*$/.test(id)) ? [] : [`${name} ${ids.join(" ")}`]
  })
}

function capabilityFaults(status: string): string[] {
  return ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].flatMap((name) =>
    /^0+$/.test(fieldOf(status, name)) ? [] : [`${name} ${fieldOf(status, name)}`],
  )
}

/** Mounts that bubblewrap makes for `--dev`, each a single device, a terminal directory, or shared memory. */
const deviceMounts = ["null", "zero", "full", "random", "urandom", "tty", "pts", "shm", "console"].map(
  (name) => `/dev/${name}`,
)

/** What is mounted beside the plan, is missing from it, or can be written against it. */
function mountFaults(mountinfo: string, boundary: Boundary): string[] {
  const planned = new Map<string, "read" | "write">([
    ["/", "read"],
    ["/proc", "write"],
    ["/dev", "read"],
  ])
  for (const device of deviceMounts) planned.set(device, "write")
  for (const part of boundary.parts) {
    if (part.kind === "bind") planned.set(part.target, part.readonly ? "read" : "write")
    if (part.kind === "tmpfs") planned.set(part.target, "write")
  }
  const mounts = mountinfo.trim().split("\n").map(parseMount)
  const present = new Set(mounts.map((mount) => mount.target))
  const faults = boundary.parts.flatMap((part) =>
    part.kind === "bind" && !present.has(part.target) ? [`${part.target} is missing`] : [],
  )
  for (const { target, writable } of mounts) {
    const allowed = planned.get(target) ?? planned.get(nearestPlanned(target, boundary) ?? "")
    if (allowed === undefined) faults.push(`${target} was not planned`)
    else if (writable && allowed === "read") faults.push(`${target} can be written`)
  }
  return faults
}

/** A bind brings along what is mounted below its source. */
function nearestPlanned(target: string, boundary: Boundary): string | undefined {
  return boundary.parts
    .flatMap((part) => (part.kind === "bind" && target.startsWith(`${part.target}/`) ? [part.target] : []))
    .sort((one, other) => other.length - one.length)[0]
}

function parseMount(line: string): { target: string; writable: boolean } {
  const fields = line.split(" ")
  const target = (fields[4] ?? "").replace(/\\([0-7]{3})/g, (_all, octal) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
  return { target, writable: (fields[5] ?? "rw").split(",").includes("rw") }
}
