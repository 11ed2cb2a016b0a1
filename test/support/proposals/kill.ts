import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Act } from "../../../src/audit/act.ts"
import { type AuditPen, openAudit } from "../../../src/audit/open.ts"
import { tampered } from "../../../src/audit/verify/finding.ts"
import { verifyAudit } from "../../../src/audit/verify/verify.ts"
import { ProposalDesk } from "../../../src/bottle/keeper/proposals/desk.ts"
import type { Plan } from "../../../src/bottle/plan-types.ts"
import { type Disk, realDisk } from "../../../src/lib/disk.ts"
import { createPaths } from "../../../src/lib/paths.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import type { ProposalTool } from "../../../src/proposals/types.ts"
import { emptyPolicy, FakeSupervisor, propose } from "./desk.ts"

/**
 * A keeper that is killed at one step of what it does. What a SIGKILL leaves is what is on disk and what the supervisor
 * holds: both are copied at that moment, the keeper never does another step, and the next one goes on with the copies.
 */
export class Killable {
  readonly home: string
  readonly supervisor: FakeSupervisor
  readonly steps: string[] = []
  readonly killed = Promise.withResolvers<Killable>()
  desk!: ProposalDesk
  readonly #at: number
  #dead = false

  constructor(home: string, supervisor: FakeSupervisor, at: number) {
    this.home = home
    this.supervisor = supervisor
    this.#at = at
  }

  /** A keeper over a home; `at` is the number of the step that it does not live through, from 0; never: Infinity. */
  static async open(home: string, supervisor: FakeSupervisor, at: number, plan: Partial<Plan> = {}): Promise<Killable> {
    const keeper = new Killable(home, supervisor, at)
    const paths = createPaths({ BOT_BOTTLE_HOME: home, HOME: home })
    const audit = openAudit({ paths, act: keeper.act }, slug)
    // Their open files are given up with the process, as a killed keeper's are; not before.
    pens.push(audit)
    keeper.desk = await ProposalDesk.open({
      paths,
      plan: { slug, policy: emptyPolicy, slots: [], bottles: ["dev"], docker: { build }, ...plan } as unknown as Plan,
      disk: keeper.#disk(),
      audit,
      channel: () => keeper.#channel(),
      now: () => new Date(),
      log: () => undefined,
    })
    return keeper
  }

  readonly act: Act = (step, act) => this.#step(`audit: ${step}`, act)

  #disk(): Disk {
    return {
      makeDir: (path) => this.#step("mkdir", () => realDisk.makeDir(path)),
      create: (path, text) => this.#step("write", () => realDisk.create(path, text)),
      sync: (path) => this.#step("fsync", () => realDisk.sync(path)),
      rename: (from, to) => this.#step("rename", () => realDisk.rename(from, to)),
      remove: (path) => this.#step("unlink", () => realDisk.remove(path)),
    }
  }

  #channel() {
    const { supervisor } = this
    return {
      policy: (policy: EgressPolicy, later: { at: string; policy: EgressPolicy }[]) =>
        this.#step("control: policy", () => supervisor.policy(policy, later)),
      secrets: (values: Readonly<Record<string, string>>) =>
        this.#step("control: secrets", () => supervisor.secrets(values)),
      respond: (response: Parameters<FakeSupervisor["respond"]>[0]) =>
        this.#step("control: response", () => supervisor.respond(response)),
    }
  }

  async #step<T>(name: string, act: () => Promise<T>): Promise<T> {
    await this.#point(`before ${name}`)
    const result = await act()
    await this.#point(`after ${name}`)
    return result
  }

  async #point(name: string): Promise<void> {
    if (this.#dead) await forever()
    if (this.steps.push(name) - 1 !== this.#at) return
    this.#dead = true
    this.killed.resolve(this)
    await forever()
  }
}

export const slug = "dev-abc12"
const pens: AuditPen[] = []
/** Kept, so that what waits for it is, with the files it has open: collecting one would be an error of this process. */
const waiting: Promise<never>[] = []
function forever(): Promise<never> {
  const promise = new Promise<never>((resolve) => kept.push(resolve))
  waiting.push(promise)
  return promise
}
const kept: unknown[] = []

/** What the bottle's image is made from. */
export const build = { name: "dev", origin: "./Dockerfile", dockerfile: "FROM base:1\n", args: {} }

export const bottleText = [
  "---",
  "# mine",
  "egress:",
  "  routes:",
  "    - host: known.test # keep",
  "---",
  "text",
  "",
].join("\n")

/** A home with one open proposal, made by a keeper that lived. */
export async function prepareHome(
  home: string,
  ask: [text: string, tool: ProposalTool] = ["host: new.test", "egress-block"],
): Promise<{ id: string; supervisor: FakeSupervisor }> {
  mkdirSync(join(home, "state", slug), { recursive: true })
  mkdirSync(join(home, "bottles"), { recursive: true })
  writeFileSync(join(home, "bottles", "dev.md"), bottleText)
  const supervisor = new FakeSupervisor(emptyPolicy)
  const { desk } = await Killable.open(home, supervisor, Number.POSITIVE_INFINITY)
  return { id: await propose(desk, ...ask), supervisor }
}

/** The same as it is now, for the next keeper, and a supervisor that holds what this one holds. */
export function copyOf(from: string, to: string, supervisor: FakeSupervisor): FakeSupervisor {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true })
  // What names a file by its whole path names the copy's.
  for (const name of ["decision.json", "approvals.json"]) {
    const path = join(to, "state", slug, name)
    if (existsSync(path)) writeFileSync(path, readFileSync(path, "utf8").replaceAll(`${from}/`, `${to}/`))
  }
  const copy = new FakeSupervisor(supervisor.inForce)
  copy.later = supervisor.later
  copy.told = [...supervisor.told]
  copy.usedOnce = new Set(supervisor.usedOnce)
  return copy
}

/** Entries of the audit, "" before the first; throws when it does not verify. */
export async function auditOf(home: string): Promise<{ operator_action: string; detail: Record<string, unknown> }[]> {
  const paths = createPaths({ BOT_BOTTLE_HOME: home, HOME: home })
  const file = join(paths.audit, `${slug}.jsonl`)
  if (!existsSync(file)) return []
  for await (const report of verifyAudit({ paths, slug, publicKey: undefined })) {
    if (tampered(report)) throw new Error(`the audit does not verify: ${JSON.stringify(report.findings)}`)
  }
  const whole = readFileSync(file, "utf8").split("\n").slice(0, -1)
  return whole.map((line) => JSON.parse(line))
}
