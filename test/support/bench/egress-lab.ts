import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { issueLeaf, mintCa } from "../../../sidecars/egress/certificates.ts"
import type { BenchContext } from "../../bench/bench.ts"
import { installPrograms } from "./install.ts"
import type { Outcome, Workload } from "./load/workloads.ts"
import { cpuSeconds, type Memory, memoryOf, processTree } from "./processes.ts"
import { type Program, startProgram } from "./program.ts"
import { startEgressProxy } from "./proxies/egress.ts"
import { startMitmproxy } from "./proxies/mitmproxy.ts"
import { startNginx } from "./proxies/nginx.ts"
import type { ProxyPlace, RunningProxy } from "./proxies/proxy.ts"
import { startSquid } from "./proxies/squid.ts"

/** A workload without its path, which the subject gives. */
export type Task = Workload extends infer One ? (One extends Workload ? Omit<One, "path"> : never) : never

/** Our own upstream, or nginx, which serves downloads only. */
export type OriginName = "bun" | "nginx"

/** A workload's outcome and the CPU seconds that the proxy (directly: the origin) used for it. */
export interface Measured extends Outcome {
  cpu: number
}

/** Upstream, load generator and proxies, all running; and how to put one under load. */
export interface EgressLab {
  /** `direct`, and the proxies that came up. */
  subjects: readonly string[]
  /** What is missing, and what went wrong so far. */
  notes: readonly string[]
  /** Put a subject under load. A peer that fails twice gives NaN and a note; egress must not fail. */
  measure(subject: string, task: Task, origin?: OriginName): Promise<Measured>
  memory(subject: string): Memory
  hasNginx: boolean
}

const support = import.meta.dir
const nothing: Measured = { count: Number.NaN, seconds: 1, bytes: Number.NaN, p50: Number.NaN, p99: Number.NaN, cpu: 0 }

/** Start everything. What cannot be had is told in `notes`. */
export async function openEgressLab(context: BenchContext): Promise<EgressLab> {
  const notes = installPrograms(["squid", "mitmdump", "nginx"], context.say)
  const authority = mintCa("origin")
  const leaf = issueLeaf(authority, "localhost")
  const keep = (program: Program) => {
    context.defer(() => program.stop())
    return program
  }
  const directory = (name: string) => {
    const path = join(context.scratch, "egress", name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const env = { PATH: "/usr/bin:/bin" }
  const origin = keep(startProgram([process.execPath, join(support, "origin.ts")], { env }))
  const load = keep(startProgram([process.execPath, join(support, "load", "main.ts")], { env }))
  const { port } = (await origin.ask(leaf)) as { port: number }
  const origins: Partial<Record<OriginName, { port: number; pid: number }>> = { bun: { port, pid: origin.pid } }
  try {
    const nginx = await startNginx(directory("nginx"), leaf)
    keep(nginx.program)
    origins.nginx = { port: nginx.port, pid: nginx.program.pid }
  } catch (error) {
    notes.push(`nginx did not come up: ${error instanceof Error ? error.message : error}`)
  }

  const binary = await context.binary()
  const starters: Record<string, (place: ProxyPlace) => Promise<RunningProxy>> = {
    egress: (place) => startEgressProxy(binary, place),
    "egress + secret": (place) => startEgressProxy(binary, place, "a secret of the bench, not a short one"),
    squid: startSquid,
    mitmproxy: startMitmproxy,
  }
  const proxies = new Map<string, RunningProxy>()
  for (const [name, start] of Object.entries(starters)) {
    context.say(`starting ${name}`)
    try {
      const place = {
        directory: directory(name.replaceAll(/\W+/g, "-")),
        origins: Object.values(origins).map((one) => one.port),
      }
      const proxy = await start({ ...place, originCa: authority.cert })
      keep(proxy.program)
      proxies.set(name, proxy)
    } catch (error) {
      if (name.startsWith("egress")) throw error
      notes.push(`${name} was not measured: ${error instanceof Error ? error.message : error}`)
    }
  }

  const attempt = async (subject: string, task: Task, from: OriginName): Promise<Measured> => {
    const proxy = proxies.get(subject)
    const through = proxy === undefined ? {} : { proxy: proxy.proxy }
    const path = { ...through, origin: origins[from]?.port ?? port, ca: proxy?.ca ?? authority.cert }
    const { pid } = proxy?.program ?? origins[from] ?? origin
    const before = cpuSeconds(pid)
    const answer = (await withLimit(load.ask({ ...task, path }), 60_000)) as Outcome & { error?: string }
    if (answer.error !== undefined) throw new Error(`${task.kind} through ${subject}: ${answer.error}`)
    return { ...answer, cpu: cpuSeconds(pid) - before }
  }

  return {
    subjects: ["direct", ...proxies.keys()],
    notes,
    hasNginx: origins.nginx !== undefined,
    async measure(subject, task, from = "bun") {
      try {
        return await attempt(subject, task, from)
      } catch (error) {
        if (subject === "direct" || subject.startsWith("egress")) throw error
        return await attempt(subject, task, from).catch((again: Error) => {
          notes.push(`a round was lost: ${again.message}`)
          return nothing
        })
      }
    },
    memory: (subject) => memoryOf(processTree((proxies.get(subject)?.program ?? origin).pid)),
  }
}

function withLimit<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no end after ${milliseconds} ms`)), milliseconds)
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
