import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** What this machine's kernel says of one process. Namespaces only where we may see them. */
export interface ProcessView {
  netDev: string
  status: string
  shared: readonly string[]
  /** What it calls itself; "" where it calls itself nothing. */
  program: string
}

const namespaces = ["net", "pid", "mnt", "ipc", "uts", "user"] as const

/**
 * All processes of a container, when its engine is this machine's: its first process is here, and in the container's
 * control group. Undefined for one that is elsewhere. Throws when it is here and cannot be read.
 */
export function viewContainer(init: number, id: string): ProcessView[] | undefined {
  if (init < 2 || !readOr(`/proc/${init}/cgroup`, "").includes(id)) return undefined
  return familyOf(init).flatMap((pid) => viewProcess(pid) ?? [])
}

function viewProcess(pid: number): ProcessView | undefined {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8")
    const status = read("status")
    if (/^State:\s*[ZX]/m.test(status)) return undefined
    const program = read("cmdline").split("\0")[0] ?? ""
    return { netDev: read("net/dev"), status, program, shared: namespaces.filter((name) => isShared(pid, name)) }
  } catch (error) {
    // Ended since the listing.
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined
    throw error
  }
}

/** Another user's namespaces are not shown to us; then the engine's word has to do. */
function isShared(pid: number, name: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/${name}`) === readlinkSync(`/proc/self/ns/${name}`)
  } catch {
    return false
  }
}

function familyOf(init: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const parent = /^PPid:\s*(\d+)/m.exec(readOr(`/proc/${name}/status`, ""))?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const family = new Set([init])
  for (const pid of family) for (const [child, parent] of parents) if (parent === pid) family.add(child)
  return [...family]
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return otherwise
  }
}
