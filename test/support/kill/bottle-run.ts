import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { stateOf } from "../../../src/backends/namespace/host-processes.ts"
import { type Place, placeBinary } from "../place.ts"
import { waitFor } from "../wait.ts"
import { agentSeconds, describeSeen, findVictim, processesOf, type Victim } from "./processes.ts"

/** Not made anew by one that is resumed: it would be empty for a moment. */
const make = "test -s made || echo kept > made"

/** How the agent under test behaves. The last two end when their sleep is ended. */
export const agents = {
  /** Works, then waits to be ended. */
  working: `${make}; exec sleep ${agentSeconds}`,
  /** Waits without having done anything. */
  idle: `exec sleep ${agentSeconds}`,
  /** Works and fails. */
  failing: `${make}; sleep ${agentSeconds}; exit 3`,
  /** Ends well without having done anything: there is nothing to lose. */
  clean: `sleep ${agentSeconds}; exit 0`,
} as const
export type AgentKind = keyof typeof agents

/** One bottle being started and killed at, in a place of its own. */
export class BottleRun {
  readonly place: Place
  readonly client: Bun.Subprocess
  readonly headless: boolean
  #slug = ""
  output = ""

  constructor(place: Place, agent: AgentKind, headless: boolean, bottle = "dev", verb?: string[]) {
    this.place = place
    this.headless = headless
    const mode = headless ? "--headless" : "--yes"
    const words = verb ?? ["start", mode, "--bottle", bottle, "--", "sh", "-c", agents[agent]]
    const argv = place.as([placeBinary(place), ...words])
    const take = (bytes: Uint8Array) => {
      this.output += Buffer.from(bytes).toString()
    }
    this.client = headless
      ? Bun.spawn(argv, { cwd: place.work, env: place.env, stdio: ["ignore", "ignore", "ignore"] })
      : Bun.spawn(argv, {
          cwd: place.work,
          env: place.env,
          terminal: { cols: 80, rows: 24, data: (_terminal, bytes) => take(bytes) },
        })
  }

  /** Undefined before there is a state directory. */
  get slug(): string {
    if (this.#slug === "") this.#slug = this.place.states()[0] ?? ""
    return this.#slug
  }

  get stateDir(): string {
    return join(this.place.botHome, "state", this.slug)
  }

  read(name: string): string {
    if (this.slug === "") return ""
    try {
      return readFileSync(join(this.stateDir, name), "utf8")
    } catch {
      return ""
    }
  }

  has(name: string): boolean {
    return this.slug !== "" && existsSync(join(this.stateDir, name))
  }

  find(victim: Victim): number | undefined {
    if (victim === "client") return this.client.exitCode === null ? this.client.pid : undefined
    return findVictim(this.place, this.slug, victim)
  }

  /** Kill it as soon as it is there, and wait for its end; false when it never was while the bottle could have had it. */
  async kill(victim: Victim, limit = 1_500): Promise<boolean> {
    const end = performance.now() + limit
    for (;;) {
      const pid = this.find(victim)
      if (pid !== undefined && endNow(pid)) {
        await waitFor(`the end of the ${victim}`, () => hasEnded(pid))
        return true
      }
      if (performance.now() > end) return false
      await Bun.sleep(1)
    }
  }

  /** The agent has begun, and has done its work where it does any. */
  async running(agent: AgentKind): Promise<void> {
    await waitFor("the agent", () => this.find("agent"))
    if (agent === "working" || agent === "failing") await waitFor("its work", () => this.has("fs/workspace/made"))
  }

  /** What of this bottle is there that should not be: processes, the runtime directory, control groups. */
  leftovers(): string[] {
    const runtime = join(this.place.dir, "run", "bot-bottle")
    const dirs = existsSync(runtime)
      ? readdirSync(runtime).flatMap((home) =>
          readdirSync(join(runtime, home)).map((slug) => join(runtime, home, slug)),
        )
      : []
    return [...processesOf(this.place, this.slug).map(describeSeen), ...dirs, ...groupsOf(this.slug)]
  }
}

/** False: it had ended by itself. */
function endNow(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL")
    return true
  } catch {
    return false
  }
}

/** A busy machine takes its time to end a process that was killed. */
function hasEnded(pid: number): boolean {
  return ["Z", "X", undefined].includes(stateOf(pid))
}

function groupsOf(slug: string): string[] {
  const found = Bun.spawnSync(["find", "/sys/fs/cgroup", "-type", "d", "-name", `bot-bottle-${slug}`], {
    env: { PATH: "/usr/bin:/bin" },
    stderr: "ignore",
  })
  return found.stdout.toString().split("\n").filter(Boolean)
}
