import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { BackendName, Probe, RuntimeRecord } from "../backends/backend.ts"
import { writeFileAtomic } from "../lib/atomic-file.ts"
import { imageChanges } from "./approved-image.ts"
import { noteLaunched } from "./launched.ts"
import type { Plan } from "./plan-types.ts"

/** `metadata.json` (DESIGN §8). */
export interface Metadata {
  identity: string
  agent_name: string
  cwd: string
  copy_cwd: boolean
  /** ISO 8601. */
  started_at: string
  backend: BackendName
  label: string
  color: string | null
  bottle_names: readonly string[]
  provider: string
}

/** A kept bottle: ended as it should, frozen, or closed because a part that held its secrets or policy is gone. */
export type RestState = "stopped" | "closed" | "frozen"

/** An agent's system as a freeze found it. */
export interface FrozenSystem {
  /** The backend's name for it. */
  name: string
  /** Hash of the approved Dockerfile that it was made on (`approvedDockerfile`), "" for none. */
  on: string
}

/** What a preserve marker says: the kind of rest, then why, one reason a line. */
export function markerText(reasons: readonly string[], rest: RestState = "stopped"): string {
  return `${[rest, ...reasons].join("\n")}\n`
}

/** The files of one `state/<slug>`. Reading gives undefined for what is not there or does not parse. */
export class StateDir {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  get exists(): boolean {
    return existsSync(this.path)
  }

  create(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 })
    for (const child of ["egress", "fs", "fs/home", "fs/workspace"]) {
      mkdirSync(join(this.path, child), { recursive: true, mode: 0o700 })
    }
  }

  async writePlan(plan: Plan, startedAt: string): Promise<void> {
    const metadata: Metadata = {
      identity: plan.slug,
      agent_name: plan.agent.name,
      cwd: plan.cwd,
      copy_cwd: plan.copyCwd,
      started_at: startedAt,
      backend: plan.backend.name,
      label: plan.label,
      color: plan.color ?? null,
      bottle_names: plan.bottles,
      provider: plan.provider.template,
    }
    await Promise.all([this.#write("metadata.json", metadata), this.#write("plan.json", plan)])
  }

  metadata(): Metadata | undefined {
    return this.#read("metadata.json") as Metadata | undefined
  }

  plan(): Plan | undefined {
    return this.#read("plan.json") as Plan | undefined
  }

  record(): RuntimeRecord | undefined {
    return this.#read("runtime.json") as RuntimeRecord | undefined
  }

  writeRecord(record: RuntimeRecord): Promise<void> {
    noteLaunched(this.path, record)
    return this.#write("runtime.json", record)
  }

  /** Numbers of the audit's lines whose approvals are in force. */
  get approvals(): number[] {
    const read = this.#read("approvals.json") as { grants?: readonly { seq?: unknown }[] } | undefined
    const inForce = [...(read?.grants ?? []), ...imageChanges(this.path)]
    return inForce.flatMap(({ seq }) => (typeof seq === "number" ? [seq] : []))
  }

  /** What a bottle at rest is, from its marker; undefined: it has none. */
  get rest(): RestState | undefined {
    const marker = this.#text(".preserve")
    if (marker === undefined) return undefined
    return (["closed", "frozen"] as const).find((word) => marker.startsWith(word)) ?? "stopped"
  }

  /** Why the state was kept, from its marker. */
  get reasons(): string[] {
    return (this.#text(".preserve") ?? "").split("\n").slice(1).filter(Boolean)
  }

  /** Nothing in it but what a keeper makes before it writes its first word: there is nothing to lose. */
  get isBare(): boolean {
    return readdirSync(this.path).every((name) => name === "keeper.lock" || /^\.keeper\.json\..*\.tmp$/.test(name))
  }

  /** Mark the state to be kept, with why, one reason a line after the kind of rest. */
  async preserve(reasons: readonly string[], rest: RestState = "stopped"): Promise<void> {
    await writeFileAtomic(join(this.path, ".preserve"), markerText(reasons, rest))
  }

  unpreserve(): void {
    rmSync(join(this.path, ".preserve"), { force: true })
  }

  /** The workspace as it was before the first session (`workspaceMark`): every later launch is compared with that. */
  get workspaceMark(): string | undefined {
    return this.#text("workspace.mark")
  }

  /** Not synced, which would cost a start some milliseconds: one that is lost makes a workspace count as work. */
  set workspaceMark(mark: string) {
    writeFileSync(join(this.path, "workspace.mark"), mark, { mode: 0o600 })
  }

  /** The fence proof of the last launch; not synced, since it only informs. Empty: none that can be read. */
  get probes(): Probe[] {
    const read = this.#read("probes.json")
    return Array.isArray(read) ? (read as Probe[]) : []
  }

  set probes(probes: readonly Probe[]) {
    writeFileSync(join(this.path, "probes.json"), JSON.stringify(probes), { mode: 0o600 })
  }

  /** Refusals since the first launch, as its last keeper counted them; not synced, since it only informs. */
  get refused(): number {
    const count = Number(this.#text("refused") ?? 0)
    return Number.isSafeInteger(count) ? count : 0
  }

  /** Never throws: on a full disk the listing says nothing of it. */
  set refused(count: number) {
    try {
      writeFileSync(join(this.path, "refused"), String(count), { mode: 0o600 })
    } catch {
      rmSync(join(this.path, "refused"), { force: true })
    }
  }

  /** What a freeze has kept of the agent's system beside its trees. */
  get system(): FrozenSystem | undefined {
    const [name, on = ""] = this.#text("system")?.split("\n") ?? []
    return name === undefined ? undefined : { name, on }
  }

  set system({ name, on }: FrozenSystem) {
    writeFileSync(join(this.path, "system"), `${name}\n${on}`, { mode: 0o600 })
  }

  /** What was copied in, as an index and objects of git's that no agent ever saw (`work/base.ts`). */
  get base(): string {
    return join(this.path, "base")
  }

  /** The workspace (`workspaceMark`) all of whose work was pulled: what differs from it is not. */
  get pulledMark(): string | undefined {
    return this.#text("pulled.mark")
  }

  set pulledMark(mark: string) {
    writeFileSync(join(this.path, "pulled.mark"), mark, { mode: 0o600 })
  }

  /** True from before the working directory is copied until all of it is there. */
  get copying(): boolean {
    return existsSync(join(this.path, ".copying"))
  }

  set copying(under: boolean) {
    if (under) writeFileSync(join(this.path, ".copying"), "", { mode: 0o600 })
    else rmSync(join(this.path, ".copying"), { force: true })
  }

  /** One line with its time into `bringup.log`, `teardown.log` or `sidecars.log`. */
  log(file: "bringup" | "teardown" | "sidecars", text: string): void {
    appendFileSync(join(this.path, `${file}.log`), `${new Date().toISOString()} ${text}\n`, { mode: 0o600 })
  }

  /** One line into the egress log. */
  logEgress(line: string): void {
    appendFileSync(join(this.path, "egress", "egress.jsonl"), `${line}\n`, { mode: 0o600 })
  }

  /** The egress log so far, "" before its first line. */
  egressLog(): string {
    return this.#text(join("egress", "egress.jsonl")) ?? ""
  }

  #text(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), "utf8")
    } catch {
      return undefined
    }
  }

  #write(name: string, value: unknown): Promise<void> {
    return writeFileAtomic(join(this.path, name), `${JSON.stringify(value, null, 2)}\n`)
  }

  #read(name: string): unknown {
    try {
      return JSON.parse(this.#text(name) ?? "")
    } catch {
      return undefined
    }
  }
}
