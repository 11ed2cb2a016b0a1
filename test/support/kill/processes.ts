import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { type Place, placeBinary } from "../place.ts"

/** Who can be killed. `first` is the first process inside the agent's boundary, `guest` our own program in it. */
export type Victim = "keeper" | "supervisor" | "egress" | "first" | "guest" | "agent" | "client"

export interface Seen {
  pid: number
  parent: number
  argv: string[]
  /** Runs this place's own copy of the binary, whatever it is called where it runs. */
  isOurs: boolean
  /** Environment of bubblewrap's processes names the bottle. */
  isMarked: boolean
  pidNamespace: string
}

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Every living process of the machine, looked at for one place and bottle. */
export function seeProcesses(place: Place, slug: string): Seen[] {
  const binary = statSync(placeBinary(place))
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): Seen[] => {
      const stat = attempt(() => readFileSync(`/proc/${name}/stat`, "utf8"))
      const [state, parent] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? []
      if (state === undefined || state === "Z" || state === "X") return []
      const argv = attempt(() => readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").slice(0, -1)) ?? []
      const exe = attempt(() => statSync(`/proc/${name}/exe`))
      const environment = attempt(() => readFileSync(`/proc/${name}/environ`, "utf8")) ?? ""
      return [
        {
          pid: Number(name),
          parent: Number(parent),
          argv,
          isOurs: exe?.ino === binary.ino && exe.dev === binary.dev,
          isMarked: slug !== "" && environment.includes(`BOT_BOTTLE_BOUNDARY=${slug}/`),
          pidNamespace: attempt(() => readlinkSync(`/proc/${name}/ns/pid`)) ?? "",
        },
      ]
    })
}

/** What of a bottle runs now: our program, bubblewrap, and everything in their namespaces. */
export function processesOf(place: Place, slug: string): Seen[] {
  const all = seeProcesses(place, slug)
  const here = attempt(() => readlinkSync("/proc/self/ns/pid"))
  const known = all.filter((seen) => seen.isOurs || seen.isMarked)
  const inside = new Set(known.map((seen) => seen.pidNamespace).filter((name) => name !== "" && name !== here))
  return all.filter((seen) => seen.isOurs || seen.isMarked || inside.has(seen.pidNamespace))
}

/** The process to kill, or undefined when there is none (yet). `client` is not looked for here. */
export function findVictim(place: Place, slug: string, victim: Exclude<Victim, "client">): number | undefined {
  const all = processesOf(place, slug)
  const ours = (...words: string[]) =>
    all.find((seen) => seen.isOurs && words.every((word, at) => seen.argv[at + 1] === word))
  switch (victim) {
    case "keeper":
      return ours("keep", slug)?.pid
    case "supervisor":
      return ours("sidecar", "--control")?.pid
    case "egress":
      return ours("sidecar", "--child", "egress")?.pid
    case "guest":
      return ours("guest", "--socket")?.pid
    case "first":
      return ours("guest", "--socket")?.parent
    case "agent":
      return all.find((seen) => seen.argv[0] === "sleep" && seen.argv[1] === agentSeconds)?.pid
  }
}

/** How long the agent of these tests sleeps: a number that nothing else on the machine uses. */
export const agentSeconds = "98765"

export function describeSeen({ pid, argv }: Seen): string {
  return `${pid} ${argv.slice(0, 6).join(" ")}`
}
