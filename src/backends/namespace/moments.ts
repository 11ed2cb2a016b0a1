import { readdirSync, statSync } from "node:fs"
import type { Leftover } from "../backend.ts"
import { killAll, markedBy, markProcess, type ProcessMark, startTimeOf } from "./host-processes.ts"
import { isDedicated } from "./identity.ts"

/** Whose sandboxes are meant. */
export interface MomentOwner {
  /** The user id that we run as. */
  uid: number
  /** What stands for the home that is served. */
  home: string
}

/** Marker of a sandbox that lasts a moment, such as a probe: it says who started it for which home, since no record does. */
export function momentMarker(home: string): string {
  return `moment/${home}/${process.pid}/${startTimeOf(process.pid) ?? "0"}`
}

/**
 * Sandboxes of a moment whose starter is gone. Killed while bubblewrap (0.8) makes one, it leaves a process that waits for
 * ever for its user map and dies with nobody. Root sees those of its bottles' users as well.
 */
function strayMoments(owner: MomentOwner): ProcessMark[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name)
    if (!/^\d+$/.test(name) || !isOurs(pid, owner.uid)) return []
    const [kind, home, starter, startTime] = (markedBy(pid) ?? "").split("/")
    if (kind !== "moment" || home !== owner.home || startTimeOf(Number(starter)) === startTime) return []
    return markProcess(pid) ?? []
  })
}

function isOurs(pid: number, caller: number): boolean {
  try {
    const { uid } = statSync(`/proc/${pid}`)
    return uid === caller || (caller === 0 && isDedicated(uid))
  } catch {
    return false
  }
}

/** What there is of them, for `cleanup`. */
export function leftMoments(owner: MomentOwner): Leftover[] {
  return strayMoments(owner).map(({ pid }) => ({ kind: "process", name: String(pid) }))
}

/** End them. Throws when one does not go. */
export async function endMoments(owner: MomentOwner): Promise<void> {
  if (!(await killAll(strayMoments(owner)))) throw new Error("a sandbox that nobody waits for does not end")
}
