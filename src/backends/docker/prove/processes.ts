import type { Probe } from "../../backend.ts"
import type { ProcessView } from "./local-view.ts"

type Look = (view: ProcessView) => readonly string[]

/** Each probe holds only when it holds for all of the agent's processes. */
function checks(views: readonly ProcessView[], looks: Readonly<Record<string, readonly [good: string, look: Look]>>) {
  return Object.entries(looks).map(([name, [good, look]]): Probe => {
    const wrong = views.length === 0 ? ["no process"] : [...new Set(views.flatMap(look))]
    const detail = wrong.length === 0 ? good : wrong.slice(0, 5).join(", ")
    return { side: "outside", name: `kernel-${name}`, ok: wrong.length === 0, detail }
  })
}

const common = {
  interfaces: ["lo", ({ netDev }) => interfaceFaults(netDev)],
  user: ["not root", ({ status }) => [...idFaults(status, "Uid"), ...idFaults(status, "Gid")]],
  "no-new-privileges": ["set", ({ status }) => unlike(status, "NoNewPrivs", /^1$/)],
  seccomp: ["filtered", ({ status }) => unlike(status, "Seccomp", /^2$/)],
} as const satisfies Record<string, readonly [string, Look]>

/** What the kernel says of the agent's processes. The user namespace is the host's, where the engine maps none. */
export function judgeProcesses(views: readonly ProcessView[]): Probe[] {
  const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
  return checks(views, {
    ...common,
    namespaces: ["none of the host's", ({ shared }) => hostsOwn(shared, "user")],
    capabilities: ["none", ({ status }) => sets.flatMap((name) => unlike(status, name, /^0+$/))],
  })
}

/**
 * The same of gVisor's own processes, which stand in for the agent's: they have capabilities, of a user namespace of
 * their own, and the host's numbering of processes; what keeps the agent from both is gVisor.
 */
export function judgeGvisor(views: readonly ProcessView[]): Probe[] {
  const isOther = ({ program }: ProcessView) => (program.startsWith("runsc") ? [] : ["another than gVisor's"])
  return [
    ...checks(views.slice(0, 1), { program: ["gVisor's", isOther] }),
    ...checks(views, { ...common, namespaces: ["none of the host's", ({ shared }) => hostsOwn(shared, "pid")] }),
  ]
}

const hostsOwn = (shared: readonly string[], but: string): string[] =>
  shared.filter((name) => name !== but).map((name) => `${name} is the host's`)

function interfaceFaults(netDev: string): string[] {
  const names = netDev.split("\n").flatMap((line) => line.match(/^\s*([^\s:]+):/)?.[1] ?? [])
  return names.includes("lo") ? names.filter((name) => name !== "lo") : ["no lo", ...names]
}

const fieldOf = (status: string, name: string): string =>
  status.match(new RegExp(`^${name}:[ \\t]*(.*)$`, "m"))?.[1] ?? "missing"

function unlike(status: string, name: string, wanted: RegExp): string[] {
  const value = fieldOf(status, name)
  return wanted.test(value) ? [] : [`${name} ${value}`]
}

function idFaults(status: string, name: string): string[] {
  const ids = fieldOf(status, name).split(/\s+/)
  return ids.length === 4 && ids.every((id) => /^[1-9]\d*$/.test(id)) ? [] : [`${name} ${ids.join(" ")}`]
}
