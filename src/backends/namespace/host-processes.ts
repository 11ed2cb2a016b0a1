import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { markerVariable } from "./bwrap.ts"

/** The first process of a boundary: with its start time, so that a reused number is never taken for it. */
export interface ProcessMark {
  pid: number
  /** Field 22 of /proc/<pid>/stat, in ticks since boot. */
  startTime: string
  /** Inode of its PID namespace, as /proc shows it. */
  pidNamespace: string
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

interface Stat {
  state: string
  parent: number
  startTime: string
}

function statOf(pid: number): Stat | undefined {
  const line = read(`/proc/${pid}/stat`)
  if (line === undefined) return undefined
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ")
  const [state, parent] = fields
  const startTime = fields[19]
  if (state === undefined || startTime === undefined) return undefined
  return { state, parent: Number(parent), startTime }
}

/** The letter of its state; undefined when it is gone. */
export function stateOf(pid: number): string | undefined {
  return statOf(pid)?.state
}

/** Field 22 of its stat; undefined when it is gone. */
export function startTimeOf(pid: number): string | undefined {
  return statOf(pid)?.startTime
}

/** Look at a process and remember it, or undefined when it is gone. */
export function markProcess(pid: number): ProcessMark | undefined {
  const stat = statOf(pid)
  if (stat === undefined) return undefined
  try {
    return { pid, startTime: stat.startTime, pidNamespace: readlinkSync(`/proc/${pid}/ns/pid`) }
  } catch {
    return undefined
  }
}

/**
 * Whether this very process still lives. A zombie does not. Start times are counted in hundredths of a second, so the
 * namespace is compared as well, unless the process hides it for the moment.
 */
export function isAlive(mark: ProcessMark): boolean {
  const stat = statOf(mark.pid)
  if (stat === undefined || stat.state === "Z" || stat.state === "X" || stat.startTime !== mark.startTime) return false
  return namespaceOf(mark.pid, mark.pidNamespace) === mark.pidNamespace
}

function namespaceOf(pid: number, unknown: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : unknown
  }
}

/** Children of a process, oldest first. */
export function childrenOf(pid: number): number[] {
  const listed = read(`/proc/${pid}/task/${pid}/children`)
  if (listed !== undefined) return listed.trim().split(" ").filter(Boolean).map(Number)
  return allPids().filter((candidate) => statOf(candidate)?.parent === pid)
}

/** Everything below a process. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])
}

function allPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** bubblewrap's processes with this marker: how a boundary is found whose number was never written down. */
export function findMarked(marker: string): ProcessMark[] {
  return allPids().flatMap((pid) => (markedBy(pid) === marker ? (markProcess(pid) ?? []) : []))
}

/** The marker that a process was started with; undefined: it has none, or it cannot be told. */
export function markedBy(pid: number): string | undefined {
  const name = `${markerVariable}=`
  const entry = read(`/proc/${pid}/environ`)
    ?.split("\0")
    .find((one) => one.startsWith(name))
  return entry?.slice(name.length)
}

/** Kill these processes, each only if it still is the one that was marked, and wait until all are gone. */
export async function killAll(marks: readonly ProcessMark[], limitMilliseconds = 10_000): Promise<boolean> {
  const limit = performance.now() + limitMilliseconds
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    const living = marks.filter(isAlive)
    if (living.length === 0) return true
    if (performance.now() > limit) return false
    for (const mark of living) {
      try {
        process.kill(mark.pid, "SIGKILL")
      } catch {
        // Gone between the look and the kill.
      }
    }
    await Bun.sleep(wait)
  }
}
