import { afterEach } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { CallResult } from "../../../sidecars/control.ts"
import { type AuditPen, openAudit } from "../../../src/audit/open.ts"
import type { AuditLog } from "../../../src/audit/types.ts"
import type { Channel } from "../../../src/bottle/keeper/proposals/decider-deps.ts"
import { ProposalDesk } from "../../../src/bottle/keeper/proposals/desk.ts"
import type { Outcome, ProposalView } from "../../../src/bottle/keeper/proposals/wire.ts"
import type { Plan } from "../../../src/bottle/plan-types.ts"
import { type Disk, realDisk } from "../../../src/lib/disk.ts"
import { createPaths, type Paths } from "../../../src/lib/paths.ts"
import { hashPolicy } from "../../../src/policy/hash.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import type { Decision } from "../../../src/proposals/decide.ts"
import type { ProposalResponse, ProposalTool, Scope } from "../../../src/proposals/types.ts"

/** A supervisor of no process: it holds a policy and acknowledges, or fails as it is told to. */
export class FakeSupervisor implements Channel {
  inForce: EgressPolicy
  later: { at: string; policy: EgressPolicy }[] = []
  told: ProposalResponse[] = []
  secretsGiven: Record<string, string> = {}
  failWith: string | undefined
  usedOnce = new Set<string>()

  constructor(policy: EgressPolicy) {
    this.inForce = policy
  }

  async policy(policy: EgressPolicy, later: { at: string; policy: EgressPolicy }[]): Promise<string> {
    if (this.failWith !== undefined) throw new Error(this.failWith)
    this.inForce = policy
    this.later = later
    return hashPolicy(policy)
  }

  async secrets(values: Readonly<Record<string, string>>): Promise<void> {
    Object.assign(this.secretsGiven, values)
  }

  async respond(response: ProposalResponse): Promise<void> {
    this.told.push(response)
  }
}

const pens: AuditPen[] = []
afterEach(async () => {
  for (const pen of pens.splice(0)) await pen.close()
})

export const emptyPolicy: EgressPolicy = { routes: [], allowlist: [], log: 0, supervise: true }

export interface Bench {
  paths: Paths
  plan: Plan
  supervisor: FakeSupervisor
  logged: string[]
  audit: AuditLog
  clock: { now: Date }
  desk: ProposalDesk
  /** Another keeper over the same files and the same supervisor. */
  next(): Promise<ProposalDesk>
}

/** A desk in a directory, with a real queue, a real audit and a supervisor of no process. */
export async function makeBench(
  home: string,
  policy: EgressPolicy = emptyPolicy,
  more: { plan?: Partial<Plan>; disk?: Disk; audit?: AuditLog } = {},
): Promise<Bench> {
  const paths = createPaths({ BOT_BOTTLE_HOME: home, HOME: home })
  const plan = { slug: "dev-abc12", policy, slots: [], bottles: ["dev"], ...more.plan } as unknown as Plan
  mkdirSync(paths.state(plan.slug), { recursive: true })
  const supervisor = new FakeSupervisor(policy)
  const logged: string[] = []
  const clock = { now: new Date("2040-01-02T03:04:05.000Z") }
  const pen = openAudit({ paths }, plan.slug)
  pens.push(pen)
  const open = () =>
    ProposalDesk.open({
      paths,
      plan,
      disk: more.disk ?? realDisk,
      audit: more.audit ?? pen,
      channel: () => supervisor,
      now: () => clock.now,
      log: (text) => logged.push(text),
    })
  const audit = more.audit ?? pen
  const bench: Bench = { paths, plan, audit, supervisor, logged, clock, desk: await open(), next: open }
  await bench.desk.begin(false)
  return bench
}

/** Ask as the agent does; throws when it is not taken. */
export async function propose(
  desk: ProposalDesk,
  text: string,
  tool: ProposalTool = "egress-block",
  justification = "because",
): Promise<string> {
  const result: CallResult = await desk.onCall({ op: "propose", tool, proposed_file: text, justification })
  if (result.kind !== "pending") throw new Error(JSON.stringify(result))
  return result.id
}

export async function view(desk: ProposalDesk, id: string, save = false): Promise<ProposalView> {
  const { view: seen, outcome } = await desk.answer({ op: "proposal", id, save })
  if (seen === undefined) throw new Error(JSON.stringify(outcome))
  return seen
}

type Approval = Partial<Extract<Decision, { action: "approve" }>> & { by?: string; secrets?: Record<string, string> }

/** See it and approve it as it is seen. */
export async function approve(desk: ProposalDesk, id: string, given: Approval = {}): Promise<Outcome> {
  const { by = "op", secrets, ...decision } = given
  const scope: Scope = decision.scope ?? { kind: "session" }
  const seen = await view(desk, id, scope.kind === "save")
  const file = seen.save !== undefined && "sha256" in seen.save ? { file: seen.save.sha256 } : {}
  const full = { action: "approve" as const, shown: seen.shown, notes: "", ...decision, scope }
  const answer = await desk.answer({ op: "decide", id, by, decision: full, ...file, ...(secrets && { secrets }) })
  return answer.outcome ?? { kind: "unknown" }
}

export async function reject(desk: ProposalDesk, id: string, reason: string): Promise<Outcome> {
  const { shown } = await view(desk, id)
  const { outcome } = await desk.answer({ op: "decide", id, by: "op", decision: { action: "reject", shown, reason } })
  return outcome ?? { kind: "unknown" }
}

export const queueDir = ({ paths, plan }: Bench): string => join(paths.queue, plan.slug)
