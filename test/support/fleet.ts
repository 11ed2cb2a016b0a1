import { readdirSync, readFileSync } from "node:fs"
import { memoryOf, processTree } from "./bench/processes.ts"
import type { TestEngine } from "./docker/engine.ts"
import { type Place, placeBinary } from "./place.ts"
import { waitFor } from "./wait.ts"

/** How many starts go on at the same time: more would only wait for each other on two cores. */
const atOnce = 4
const agentSeconds = "98763"

export interface Fleet {
  namespace: number
  docker: number
}

interface Member {
  client: Bun.Subprocess
  said: string
}

/** Many bottles side by side, each with a policy of one host, each of which asks for that one and for another. */
export class FleetRun {
  readonly #place: Place
  readonly #engine: TestEngine
  readonly #upstream: ReturnType<typeof Bun.serve>
  readonly #members: Member[] = []
  readonly #asked = new Set<string>()

  constructor(place: Place, engine: TestEngine) {
    this.#place = place
    this.#engine = engine
    this.#upstream = Bun.serve({
      hostname: "0.0.0.0",
      port: 0,
      fetch: (request) => {
        this.#asked.add(new URL(request.url).pathname)
        return new Response("upstream says yes\n")
      },
    })
    const route = (address: string) =>
      `{ host: up.example, scheme: http, connect_to: "${address}:${this.#upstream.port}", allow_private: true }`
    const egress = (address: string) => `agent_provider: {template: command}\negress: { routes: [${route(address)}] }`
    place.writeBottle("here", egress("127.0.0.1"))
    place.writeBottle("there", `${egress(engine.address)}\ndocker: { image: 'busybox:1' }`)
  }

  /** Paths that reached the upstream. */
  get asked(): ReadonlySet<string> {
    return this.#asked
  }

  /** Start all; each has done its two requests when this resolves. Returns what each said. */
  async start({ namespace, docker }: Fleet): Promise<string[]> {
    const kinds = [...Array(namespace).fill("namespace"), ...Array(docker).fill("docker")] as (keyof Fleet)[]
    const waiting = kinds.map((kind, index) => () => this.#startOne(kind, index))
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next()
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return this.#members.map(({ said }) => said)
  }

  async #startOne(kind: keyof Fleet, index: number): Promise<void> {
    const get = kind === "docker" ? "busybox wget -qO-" : "curl -sS"
    const script = `${get} http://up.example/${index} 2>&1; ${get} http://no.example/${index} 2>&1; echo done; exec sleep ${agentSeconds}`
    const words = ["start", "--headless", "--backend", kind, "--label", `${kind}-${index}`]
    const argv = [placeBinary(this.#place), ...words, "--bottle", kind === "docker" ? "there" : "here"]
    const client = Bun.spawn(this.#place.as([...argv, "--", "sh", "-c", script]), {
      ...{ cwd: this.#place.work, env: this.#place.env, stdin: "ignore" },
      ...{ stdout: "pipe", stderr: "pipe" },
    } as const)
    const member: Member = { client, said: "" }
    this.#members.push(member)
    const complaint = client.stderr.text()
    void (async () => {
      for await (const chunk of client.stdout) member.said += Buffer.from(chunk).toString()
    })()
    await waitFor(`bottle ${index}`, () => member.said.includes("done\n") || client.exitCode !== null, 120_000)
    if (client.exitCode !== null) member.said += await complaint
  }

  /** Memory of one bottle, in MB of PSS: what runs for it divided by their number. */
  async memory({ namespace, docker }: Fleet): Promise<{ namespace: number; docker: number; client: number }> {
    const keepers = { namespace: [] as number[], docker: [] as number[] }
    for (const pid of pids()) {
      const [program, verb, slug = ""] = read(`/proc/${pid}/cmdline`).split("\0")
      if (program !== placeBinary(this.#place) || verb !== "keep") continue
      keepers[slug.startsWith("docker") ? "docker" : "namespace"].push(pid)
    }
    const ids = (await this.#engine.docker("ps", "-q", "--no-trunc")).split("\n").filter(Boolean)
    const inside = pids().filter((pid) => ids.some((id) => read(`/proc/${pid}/cgroup`).includes(id)))
    const pss = (all: readonly number[]) => memoryOf(all).pss
    return {
      namespace: pss(keepers.namespace.flatMap(processTree)) / Math.max(1, namespace),
      docker: pss([...keepers.docker.flatMap(processTree), ...inside]) / Math.max(1, docker),
      client: pss(this.#members.map(({ client }) => client.pid)) / this.#members.length,
    }
  }

  /** Kill every keeper and every client at once: nobody is left to end any of it. */
  async killAll(): Promise<void> {
    for (const pid of pids()) {
      const [program, verb] = read(`/proc/${pid}/cmdline`).split("\0")
      if (program === placeBinary(this.#place) && verb === "keep") process.kill(pid, "SIGKILL")
    }
    for (const { client } of this.#members) client.kill("SIGKILL")
    await Promise.all(this.#members.map(({ client }) => client.exited))
  }

  /** Remove all of them by one command; what it could not. */
  async cleanUp(): Promise<object[]> {
    const done = await this.#place.bottle(["cleanup", "--preserved", "--yes", "--json"], { timeout: 600_000 })
    if (done.code !== 0) return [{ code: done.code, stderr: done.stderr, stdout: done.stdout }]
    return JSON.parse(done.stdout).failed
  }

  async end(): Promise<void> {
    for (const { client } of this.#members) client.kill("SIGKILL")
    await Promise.all(this.#members.map(({ client }) => client.exited))
    this.#upstream.stop(true)
  }
}

const pids = (): number[] => readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))

function read(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
