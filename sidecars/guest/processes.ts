import { readdirSync, readFileSync } from "node:fs"

export interface ProcessEntry {
  pid: number
  parent: number
  group: number
  session: number
  zombie: boolean
}

/** What /proc/<pid>/stat says, or undefined for what is not such a line. The name in it may hold anything. */
export function parseStat(line: string): ProcessEntry | undefined {
  const close = line.lastIndexOf(")")
  const fields = line.slice(close + 2).split(" ")
  const [state, parent, group, session] = fields
  const pid = Number.parseInt(line, 10)
  if (close < 0 || session === undefined || Number.isNaN(pid)) return undefined
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), zombie: state === "Z" }
}

/** Every process that this one can see: in a bottle, the bottle's. */
export function listProcesses(): ProcessEntry[] {
  const found: ProcessEntry[] = []
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    try {
      const entry = parseStat(readFileSync(`/proc/${name}/stat`, "utf8"))
      if (entry !== undefined) found.push(entry)
    } catch {
      // Ended between the listing and the look.
    }
  }
  return found
}

/** Living members of the session or group that `leader` began, itself included. */
export function membersOf(leader: number, processes: readonly ProcessEntry[]): number[] {
  return processes
    .filter((entry) => !entry.zombie && (entry.session === leader || entry.group === leader || entry.pid === leader))
    .map((entry) => entry.pid)
}

/** Send a signal to one process or, negative, to a group. One that is gone is no error. */
export function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name)
  } catch {
    // Gone already, which is what was wanted.
  }
}

/** End everything in the session that `leader` began: HUP at once, TERM after a second, KILL after two. */
export async function endSession(leader: number): Promise<void> {
  const steps = [
    { name: "SIGHUP", wait: 1000 },
    { name: "SIGTERM", wait: 1000 },
    { name: "SIGKILL", wait: 200 },
  ] as const
  for (const step of steps) {
    const members = membersOf(leader, listProcesses())
    if (members.length === 0) return
    for (const pid of members) {
      signal(pid, step.name)
      // A stopped process takes no other signal than KILL until it goes on.
      signal(pid, "SIGCONT")
    }
    const limit = performance.now() + step.wait
    while (performance.now() < limit) {
      if (membersOf(leader, listProcesses()).length === 0) return
      await Bun.sleep(20)
    }
  }
}
