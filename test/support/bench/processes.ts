import { readdirSync, readFileSync } from "node:fs"

/** Clock ticks a second in /proc: 100 on every Linux that Bun runs on. */
const ticksPerSecond = 100

/** The process and all its descendants alive now. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync("/proc")) {
    const parent = parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (const one of tree) tree.push(...(children.get(one) ?? []))
  return tree
}

/** CPU time that a process tree has used, in seconds; what ended and was waited for counts with its parent. */
export function cpuSeconds(pid: number): number {
  let ticks = 0
  for (const one of processTree(pid)) {
    const fields = statOf(one)
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / ticksPerSecond
}

export interface Memory {
  /** Pages that no other process has, in MB. */
  private: number
  /** Private pages that were written to, in MB. */
  dirty: number
  /** Shared pages divided among those who share them, in MB. */
  pss: number
  /** `smaps_rollup`, or where it may not be read: `status`, whose anonymous pages then stand for all three. */
  source: "smaps_rollup" | "status"
}

/** Memory of the given processes together. Sidecars are not dumpable: only root reads their `smaps_rollup`. */
export function memoryOf(pids: readonly number[]): Memory {
  const total: Memory = { private: 0, dirty: 0, pss: 0, source: "smaps_rollup" }
  for (const pid of pids) {
    const rollup = readProc(pid, "smaps_rollup")
    const kilobytes = (text: string, key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0)
    if (rollup !== undefined && rollup !== "") {
      const dirty = kilobytes(rollup, "Private_Dirty") / 1024
      total.dirty += dirty
      total.private += dirty + kilobytes(rollup, "Private_Clean") / 1024
      total.pss += kilobytes(rollup, "Pss") / 1024
      continue
    }
    const status = readProc(pid, "status")
    if (status === undefined) continue
    const anonymous = kilobytes(status, "RssAnon") / 1024
    total.source = "status"
    total.private += anonymous
    total.dirty += anonymous
    total.pss += anonymous
  }
  return total
}

/** A process's argv; [] when it is gone. */
export function argvOf(pid: number): string[] {
  return (readProc(pid, "cmdline") ?? "").split("\0").slice(0, -1)
}

function parentOf(pid: number): number | undefined {
  const parent = Number.isInteger(pid) ? statOf(pid)?.[1] : undefined
  return parent === undefined ? undefined : Number(parent)
}

/** The fields of /proc/pid/stat after the name, which may hold anything. */
function statOf(pid: number): string[] | undefined {
  const text = readProc(pid, "stat")
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8")
  } catch {
    return undefined
  }
}
