import { randomBytes } from "node:crypto"
import { join } from "node:path"
import type { CallResult, SidecarCall, SidecarEvent } from "../../../../sidecars/control.ts"
import type { AuditLog } from "../../../audit/types.ts"
import type { Disk } from "../../../lib/disk.ts"
import type { Paths } from "../../../lib/paths.ts"
import type { CheckContext } from "../../../proposals/check.ts"
import { type DecideContext, decideProposal } from "../../../proposals/decide.ts"
import type { Grant } from "../../../proposals/grants.ts"
import { isProposalId } from "../../../proposals/identity.ts"
import type { StoredResponse } from "../../../proposals/queue/files.ts"
import { Queue, type QueueChanges } from "../../../proposals/queue/queue.ts"
import type { Proposal, ResponseStatus } from "../../../proposals/types.ts"
import type { Plan } from "../../plan-types.ts"
import { AgentDesk, liveText } from "./ask.ts"
import { Decider } from "./decider.ts"
import type { Channel, InForce } from "./decider-deps.ts"
import { editPolicy } from "./edit.ts"
import { decisionFact, plainFact } from "./facts.ts"
import { BottleImage } from "./image/bottle-image.ts"
import { bottleFiles, planSaveOf } from "./save/files.ts"
import { undoGrant } from "./undo.ts"
import { describePolicy, describeProposal } from "./view.ts"
import type { Outcome, ProposalAnswer, ProposalRequest } from "./wire.ts"

export interface DeskDeps {
  paths: Paths
  plan: Plan
  disk: Disk
  audit: AuditLog
  channel(): Channel | undefined
  now(): Date
  log(text: string): void
  /** Told of what is asked and answered. */
  notices?: QueueChanges
}

/** How often age is looked at at most and at least, in ms. */
const ageEvery = { least: 500, most: 15_000 }

/** Everything about proposals that a bottle's keeper does: its agent asks here, its operator decides here. */
export class ProposalDesk {
  readonly queue: Queue
  readonly decider: Decider
  /** What the agent's image is made from. */
  readonly image: BottleImage
  readonly #deps: DeskDeps
  readonly #agent: AgentDesk
  #timer: ReturnType<typeof setInterval> | undefined

  private constructor(deps: DeskDeps, queue: Queue) {
    const { paths, plan } = deps
    this.#deps = deps
    this.queue = queue
    const stateDir = paths.state(plan.slug)
    this.image = new BottleImage(plan, stateDir, deps.disk)
    this.decider = new Decider({
      slug: plan.slug,
      base: plan.policy,
      queue,
      stateDir,
      disk: deps.disk,
      image: this.image,
      audit: deps.audit,
      auditFile: join(paths.audit, `${plan.slug}.jsonl`),
      channel: deps.channel,
      now: deps.now,
      log: deps.log,
    })
    this.#agent = new AgentDesk({
      slug: plan.slug,
      queue,
      context: () => this.context(),
      live: (tool) => this.live(tool),
      now: deps.now,
      log: deps.log,
    })
  }

  static async open(deps: DeskDeps): Promise<ProposalDesk> {
    const dir = join(deps.paths.queue, deps.plan.slug)
    return new ProposalDesk(deps, await Queue.open(dir, deps.plan.slug, deps.disk, deps.log, deps.notices))
  }

  /** A new launch: the policy is the file's, and what a kept bottle's end left unanswered is offered again. */
  async begin(resume: boolean): Promise<void> {
    await this.decider.startAfresh()
    if (resume) {
      for (const id of this.queue.leftByEnd()) {
        await this.queue.reopen(id)
        this.#deps.log(`proposal ${id}: offered again`)
      }
    }
  }

  /** Another keeper's bottle. */
  async takeOver(inForce: InForce): Promise<void> {
    await this.decider.inTurn(() => this.decider.takeOver(inForce))
  }

  onCall(request: SidecarCall): Promise<CallResult> {
    // In turn, so that two identical ones at the same time join, and none is judged by a policy that is being changed.
    return request.op === "propose"
      ? this.decider.inTurn(() => this.#agent.answer(request))
      : this.#agent.answer(request)
  }

  onTold(event: SidecarEvent): void {
    if (event.kind === "once-used") this.decider.useOnce(String(event.once))
  }

  async answer(request: ProposalRequest): Promise<ProposalAnswer> {
    switch (request.op) {
      case "policy":
        return { policy: describePolicy(this) }
      case "proposal": {
        const proposal = isProposalId(request.id) ? this.queue.find(request.id) : undefined
        if (proposal === undefined) return { outcome: this.#settled(request.id) }
        return { view: await describeProposal(proposal, this, request) }
      }
      case "decide":
        return { outcome: await this.decider.inTurn(() => this.#decide(request)) }
      case "edit":
        return { outcome: await this.decider.inTurn(() => editPolicy(request, this)) }
      case "undo":
        return { outcome: await this.decider.inTurn(() => undoGrant(request, this)) }
    }
  }

  /** The bottle has ended: what is open is answered with why. */
  async close(reason: string): Promise<void> {
    clearInterval(this.#timer)
    await this.decider.close()
    await this.decider.inTurn(async () => {
      await this.queue.setFlood(undefined)
      for (const proposal of this.queue.open()) await this.#expire(proposal, `the bottle ended: ${reason}`, true)
    })
  }

  /** Finish what is under way, and do nothing by itself any more. */
  async rest(): Promise<void> {
    clearInterval(this.#timer)
    await this.decider.rest()
  }

  get plan(): Plan {
    return this.#deps.plan
  }

  get stateDir(): string {
    return this.#deps.paths.state(this.#deps.plan.slug)
  }

  now(): Date {
    return this.#deps.now()
  }

  context(): CheckContext {
    const image = this.image.bounds()
    return { policy: this.decider.policy, slots: this.#deps.plan.slots, ...(image === undefined ? {} : { image }) }
  }

  /** What a proposal of this kind changes, as one text. */
  live(tool: Proposal["tool"]): string {
    return tool === "capability-block" ? this.image.live() : liveText(this.decider.policy)
  }

  /** The files that the bottle's policy came from. */
  files() {
    return bottleFiles(this.#deps.paths, this.#deps.plan)
  }

  async #decide({ id, decision, by, file, secrets }: Extract<ProposalRequest, { op: "decide" }>): Promise<Outcome> {
    const proposal = isProposalId(id) ? this.queue.find(id) : undefined
    if (proposal === undefined) return this.#settled(id)
    const name = makeDecisionId()
    const context: DecideContext = { ...this.context(), live: this.live(proposal.tool), decision: name }
    const decided = await decideProposal(proposal, decision, context)
    if (decided.kind !== "go") return decided
    const { change, image, response, component } = decided
    const scope = decision.action === "approve" ? decision.scope : undefined
    const now = this.now()
    const until = scope?.kind === "for" ? new Date(now.getTime() + scope.seconds * 1000).toISOString() : undefined
    const warnings: string[] = []
    const grant: Grant | undefined = change && {
      ...{ id: name, seq: 0, scope: scope ?? { kind: "session" }, change },
      ...(until === undefined ? {} : { until }),
    }
    if (grant !== undefined && change !== undefined && scope?.kind === "save") {
      const planned = await planSaveOf(change, this)
      if (planned.kind === "refused") return planned
      if (planned.edit.before !== file) return { kind: "stale" }
      grant.saved = planned.edit
    }
    const missing = this.#missingSecret(change, secrets ?? {})
    if (missing !== undefined) return missing
    const grants = grant === undefined ? undefined : [...this.decider.grants, grant]
    const stored: StoredResponse = { ...response, schemaVersion: 1, decided_by: by, decided_at: now.toISOString() }
    const before = this.decider.policy
    const after = grants === undefined ? before : this.decider.policyOf(grants)
    const images = image && { before: context.live, after: image.dockerfile, network: image.network }
    const fact = decisionFact({ proposal, response, component, before, after, scope, until, by, image: images })
    const done = await this.decider.carryOut({
      ...{ decision: name, fact, response: stored },
      ...(grants === undefined ? {} : { grants }),
      ...(image === undefined ? {} : { image: this.image.change(name, image) }),
      ...(secrets === undefined ? {} : { secrets }),
    })
    if (done.kind === "failed") return { ...done, hint: `the proposal stays open: bottle proposals show ${id}` }
    const applied = {
      ...{ diff: fact.diff, notes: response.notes, warnings },
      ...(scope === undefined ? {} : { scope }),
      ...(until === undefined ? {} : { until }),
      ...(grant?.saved === undefined ? {} : { saved: grant.saved.path }),
      ...(image === undefined ? {} : { resume: `bottle resume ${this.#deps.plan.slug}` }),
    }
    return { kind: "done", status: response.status, seq: done.seq, applied }
  }

  /** The slot of a host that is new to it must have a value before anything is applied. */
  #missingSecret(change: Grant["change"] | undefined, secrets: Readonly<Record<string, string>>): Outcome | undefined {
    const route = change?.kind === "route" ? change.route : change?.kind === "once" ? change.rule.route : undefined
    const slot = route?.auth?.token_ref
    if (slot === undefined || this.#deps.plan.slots.includes(slot) || secrets[slot]) return undefined
    return { kind: "failed", why: `no value for ${slot}`, hint: `export ${slot}=…, or: bottle secret set ${slot}` }
  }

  #settled(id: string): Outcome {
    const answer = isProposalId(id) ? this.queue.answer(id) : undefined
    if (answer === undefined) return { kind: "unknown" }
    return { kind: "taken", status: answer.status, by: answer.decided_by ?? "?", at: answer.decided_at ?? "?" }
  }

  async #expire(proposal: Proposal, why: string, ended = false): Promise<void> {
    const response = { proposal_id: proposal.id, status: "expired" as ResponseStatus, notes: why, final_file: "" }
    const decided_at = this.now().toISOString()
    await this.decider.carryOut({
      decision: makeDecisionId(),
      fact: plainFact(proposal, "expire", why),
      response: { ...response, schemaVersion: 1, decided_by: "bottle", decided_at, ...(ended ? { ended: true } : {}) },
    })
  }

  /** From now on, what nobody answered in the time that the bottle's file says expires. */
  watchAge(): void {
    const limit = this.#deps.plan.expire
    if (limit === undefined) return
    this.#timer = setInterval(
      () => {
        void this.decider.inTurn(async () => {
          const since = this.now().getTime() - limit * 1000
          const old = this.queue.open().filter(({ arrival_timestamp: at }) => Date.parse(at) <= since)
          for (const proposal of old) await this.#expire(proposal, `nobody answered within ${limit} seconds`)
        })
      },
      Math.min(Math.max((limit * 1000) / 4, ageEvery.least), ageEvery.most),
    )
    this.#timer.unref()
  }
}

function makeDecisionId(): string {
  return `d${randomBytes(8).toString("hex")}`
}
