import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { WiredEngine } from "../../docker/wire.ts"
import type { Place } from "../../place.ts"
import { waitFor } from "../../wait.ts"
import { type AgentKind, BottleRun } from "../bottle-run.ts"
import { agentSeconds, describeSeen, findVictim, processesOf } from "../processes.ts"

/**
 * Who can be killed of a bottle in containers; `inits` are the first processes of the two, `streams` all connections to
 * the engine. The control stream goes through a relay once the one of the start is no more.
 */
export type DockerVictim =
  | "client"
  | "keeper"
  | "supervisor"
  | "egress"
  | "sidecars-init"
  | "agent-init"
  | "guest"
  | "agent"
  | "control-relay"
  | "guest-relay"
  | "streams"
  | "dockerd"

interface Inside {
  pid: number
  parent: number
  argv: string[]
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** A bottle in containers of the file's own engine, whose processes are this machine's. */
export class DockerRun extends BottleRun {
  readonly #engine: WiredEngine

  constructor(place: Place, engine: WiredEngine, agent: AgentKind, headless: boolean, verb?: string[]) {
    super(place, agent, headless, "dev", verb)
    this.#engine = engine
  }

  /** Processes of one of the recorded containers. */
  #inside(role: "agent" | "sidecars"): Inside[] {
    const id = new RegExp(`"${role}": \\{\\s*"id": "([0-9a-f]{64})"`).exec(this.read("runtime.json"))?.[1]
    if (id === undefined) return []
    return readdirSync("/proc").flatMap((pid): Inside[] => {
      if (!/^\d+$/.test(pid) || !read(`/proc/${pid}/cgroup`).includes(id)) return []
      const parent = /^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]
      return [{ pid: Number(pid), parent: Number(parent), argv: read(`/proc/${pid}/cmdline`).split("\0") }]
    })
  }

  findInside(victim: Exclude<DockerVictim, "dockerd" | "streams">): number | undefined {
    if (victim === "client") return this.client.exitCode === null ? this.client.pid : undefined
    if (victim === "keeper") return findVictim(this.place, this.slug, "keeper")
    const role = ["supervisor", "egress", "sidecars-init", "control-relay"].includes(victim) ? "sidecars" : "agent"
    const all = this.#inside(role)
    const saying = (words: string) => all.find(({ argv }) => argv.join(" ").includes(words))?.pid
    switch (victim) {
      case "supervisor":
        return saying("sidecar --control")
      case "egress":
        return saying("--child egress")
      case "guest":
        return saying("guest --socket")
      case "control-relay":
      case "guest-relay":
        return saying("sidecar --relay")
      case "agent":
        return saying(`sleep ${agentSeconds}`)
      default:
        return all.find(({ parent }) => !all.some(({ pid }) => pid === parent))?.pid
    }
  }

  /** Whether a program with these words runs beside the agent. */
  runs(words: string): boolean {
    return this.#inside("agent").some(({ argv }) => argv.join(" ").includes(words))
  }

  /** Kill it as soon as it is there; false when it never was. */
  async strike(victim: DockerVictim, limit: number): Promise<boolean> {
    if (victim === "dockerd") {
      await this.#engine.crash()
      return true
    }
    if (victim === "streams") return this.#engine.cut() > 0
    for (const end = performance.now() + limit; performance.now() < end; await Bun.sleep(1)) {
      const pid = this.findInside(victim)
      if (pid === undefined) continue
      try {
        process.kill(pid, "SIGKILL")
        return true
      } catch {
        // It had ended by itself.
      }
    }
    return false
  }

  /** What the agent made, as the engine keeps it. */
  async made(): Promise<string> {
    const volume = `bot-bottle-${this.slug}-workspace`
    const at = await this.#engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", volume).catch(() => "")
    return at === "" ? "" : read(join(at, "made"))
  }

  override async running(agent: AgentKind): Promise<void> {
    await waitFor("the agent", () => this.findInside("agent"))
    if (agent === "working" || agent === "failing") await waitFor("its work", async () => (await this.made()) !== "")
  }

  /** What should not be there of a bottle at rest: processes here, containers, sockets. */
  async remains(): Promise<string[]> {
    const runtime = join(this.place.dir, "run", "bot-bottle")
    const dirs = existsSync(runtime)
      ? readdirSync(runtime).flatMap((home) => readdirSync(join(runtime, home)).filter((name) => name === this.slug))
      : []
    const kept = ["home", "workspace", "filled"].map((role) => `bot-bottle-${this.slug}-${role}`)
    const left = (await this.#engine.left()).filter((name) => !kept.includes(name))
    return [...processesOf(this.place, this.slug).map(describeSeen), ...dirs, ...left]
  }
}
