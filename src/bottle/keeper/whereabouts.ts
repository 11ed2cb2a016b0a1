import { randomBytes } from "node:crypto"
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * How far a keeper is with its bottle; what the next one does when it finds the file of a dead one depends on it.
 * `removing`: it was decided that the state goes, and that is all there is left to do.
 */
export type KeeperPhase = "starting" | "keeping" | "freezing" | "ending" | "removing"

/** Where a bottle's keeper is: `state/<slug>/keeper.json`, from before the first process until all have ended. */
export interface Whereabouts {
  pid: number
  /** Clock ticks since boot, from /proc/<pid>/stat, which tell a reused pid apart; "" where there is no /proc. */
  startTime: string
  socket: string
  phase: KeeperPhase
}

const fileOf = (stateDir: string): string => join(stateDir, "keeper.json")

/**
 * Say where this process is. Replaced as a whole but not synced: it tells of living processes, and no process
 * outlives what a sync is for.
 */
export function recordKeeper(stateDir: string, socket: string, phase: KeeperPhase): void {
  const here: Whereabouts = { pid: process.pid, startTime: processOf(process.pid).startTime, socket, phase }
  const temporary = join(stateDir, `.keeper.json.${randomBytes(6).toString("hex")}.tmp`)
  writeFileSync(temporary, `${JSON.stringify(here)}\n`, { mode: 0o600 })
  renameSync(temporary, fileOf(stateDir))
}

export function readWhereabouts(stateDir: string): Whereabouts | undefined {
  try {
    const read = JSON.parse(readFileSync(fileOf(stateDir), "utf8")) as Partial<Whereabouts>
    const { pid, startTime, socket, phase = "keeping" } = read
    if (!Number.isInteger(pid) || Number(pid) < 2 || typeof startTime !== "string") return undefined
    if (typeof socket !== "string") return undefined
    return { pid: Number(pid), startTime, socket, phase }
  } catch {
    return undefined
  }
}

/** A bottle at rest has no keeper, also while its last process is on its way out. */
export function forgetKeeper(stateDir: string): void {
  rmSync(fileOf(stateDir), { force: true })
}

/** Does the recorded keeper live? */
export function isKeeperAlive(where: Whereabouts): boolean {
  try {
    process.kill(where.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false
  }
  return processOf(where.pid).startTime === where.startTime
}

/** A process by its number; one that is stopped or dead does not run, and a dead one has no start time. */
export function processOf(pid: number): { startTime: string; runs: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The command's name may hold spaces and parentheses: fields are counted after the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const [state = ""] = fields
    if (state === "Z" || state === "X") return { startTime: "gone", runs: false }
    return { startTime: fields[19] ?? "", runs: state !== "T" && state !== "t" }
  } catch {
    return { startTime: "", runs: false }
  }
}
