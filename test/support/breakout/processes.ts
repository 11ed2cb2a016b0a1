import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import type { Arena } from "./arena.ts"

export interface HostProcess {
  pid: number
  parent: number
  argv: string[]
}

/** Every process of the arena's `home`, and what descends from one: keeper, sidecars, the agent's side. */
export function processesOf(arena: Arena): HostProcess[] {
  const home = `net:[${statSync(`/run/netns/${arena.namespaces.home.name}`).ino}]`
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const known = new Map<number, HostProcess & { atHome: boolean }>()
  for (const pid of all) {
    const process = readProcess(pid)
    if (process !== undefined) known.set(pid, { ...process, atHome: networkOf(pid) === home })
  }
  const belongs = (pid: number): boolean => {
    const process = known.get(pid)
    return process !== undefined && (process.atHome || belongs(process.parent))
  }
  return [...known.values()].filter(({ pid }) => belongs(pid))
}

/** Those of them that run this part of the product, without the sandboxes around it. */
export function partsOf(arena: Arena, ...words: string[]): HostProcess[] {
  return processesOf(arena).filter(
    ({ argv }) => (argv[0] ?? "").endsWith("/bottle") && argv.slice(1, words.length + 1).join(" ") === words.join(" "),
  )
}

function readProcess(pid: number): HostProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1)
    return { pid, parent, argv }
  } catch {
    return undefined
  }
}

function networkOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}
