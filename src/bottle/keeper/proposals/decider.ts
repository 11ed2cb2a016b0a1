import { callAt } from "../../../lib/call-at.ts"
import { hashPolicy } from "../../../policy/hash.ts"
import type { EgressPolicy } from "../../../policy/types.ts"
import { withoutOnce } from "../../../policy/widen.ts"
import { composePolicy, type Grant, grantsAt, laterPolicies } from "../../../proposals/grants.ts"
import type { StoredResponse } from "../../../proposals/queue/files.ts"
import type { ProposalResponse } from "../../../proposals/types.ts"
import type { CarriedOut, Channel, DeciderDeps, InForce, Resolution } from "./decider-deps.ts"
import { type Intent, JsonFile } from "./intent.ts"
import { findRecorded } from "./recorded.ts"
import { saveEdit, unsaveEdit } from "./save/save-file.ts"

/** Longest single wait for a sidecar that is coming back, in ms; all waits together take twice as long. */
const patience = 4_000

/**
 * Carries decisions out, one after the other (DESIGN, invariant 8): applied and acknowledged, then on record, then
 * answered, told and archived. Each is on disk before its first step, so a keeper that takes over finishes or takes
 * back exactly what the last one had begun.
 */
export class Decider {
  readonly #deps: DeciderDeps
  readonly #intent: JsonFile<Intent>
  readonly #approvals: JsonFile<{ schemaVersion: 1; grants: readonly Grant[] }>
  readonly #used = new Set<string>()
  #grants: readonly Grant[]
  #turn: Promise<unknown> = Promise.resolve()
  #disarm: () => void = () => undefined

  constructor(deps: DeciderDeps) {
    this.#deps = deps
    this.#intent = new JsonFile(`${deps.stateDir}/decision.json`, deps.disk)
    this.#approvals = new JsonFile(`${deps.stateDir}/approvals.json`, deps.disk)
    this.#grants = this.#approvals.read()?.grants ?? []
  }

  get grants(): readonly Grant[] {
    return this.#grants
  }

  /** The policy in force. */
  get policy(): EgressPolicy {
    return this.policyOf(this.#grants)
  }

  policyOf(grants: readonly Grant[]): EgressPolicy {
    return withoutOnce(composePolicy(this.#deps.base, grants), this.#used)
  }

  /** Do one thing after what is under way: nothing that a decision was made from moves meanwhile. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** A fresh launch starts from the file's policy: approvals of an earlier one ended with it. */
  async startAfresh(): Promise<void> {
    await this.#finishOffline()
    await this.#approvals.remove()
    this.#grants = []
  }

  /** Go on where a dead keeper was. Throws when what should be in force cannot be put in force. */
  async takeOver(inForce: InForce): Promise<void> {
    for (const id of inForce.usedOnce) this.#used.add(id)
    const intent = this.#intent.read()
    if (intent !== undefined && (this.#isRecorded(intent) || this.#isInForce(intent, inForce))) {
      await this.#save(intent).catch((error: unknown) => this.#deps.log(String(error)))
      await this.#record(intent)
      await this.#finish(intent)
    } else if (intent !== undefined) {
      this.#deps.log(`decision ${intent.decision} was cut short before it was in force: taken back`)
      if (intent.image !== undefined) await this.#deps.image.takeBack(intent.image)
    }
    await this.#pushSurely()
    if (intent !== undefined) await this.#intent.remove()
    await this.#dropEnded()
  }

  /** What should be in force, while a sidecar may be coming back. */
  async #pushSurely(): Promise<void> {
    for (let wait = 50; ; wait *= 2) {
      try {
        return await this.#push(this.#grants)
      } catch (error) {
        if (wait > patience) throw error
        await Bun.sleep(wait)
      }
    }
  }

  /** Carry out what is decided. Call it in turn. */
  async carryOut(resolution: Resolution): Promise<CarriedOut> {
    await this.#settleLeft()
    const { secrets, ...rest } = resolution
    const to = rest.grants === undefined ? {} : { to: hashPolicy(this.policyOf(rest.grants)) }
    const intent: Intent = { schemaVersion: 1, ...rest, ...to }
    await this.#intent.write(intent)
    let seq: number
    try {
      if (secrets !== undefined) await this.#channel().secrets(secrets)
      if (intent.grants !== undefined) await this.#push(intent.grants)
      await this.#save(intent)
      if (intent.image !== undefined) await this.#deps.image.apply(intent.image)
      seq = await this.#record(intent)
    } catch (error) {
      await this.#takeBack(intent)
      return { kind: "failed", why: error instanceof Error ? error.message : String(error) }
    }
    await this.#finish(intent)
    await this.#intent.remove()
    return { kind: "done", seq }
  }

  /** What could not be taken back at its time: the channel was broken. */
  async #settleLeft(): Promise<void> {
    const left = this.#intent.read()
    if (left === undefined) return
    if (this.#isRecorded(left)) await this.#finish(left)
    else if (left.image !== undefined) await this.#deps.image.takeBack(left.image)
    if (left.grants !== undefined) await this.#push(this.#grants)
    await this.#intent.remove()
  }

  /** A request used up a rule. Safe to be told twice. */
  useOnce(id: string): void {
    if (this.#used.has(id)) return
    this.#used.add(id)
    void this.inTurn(() => this.#dropEnded()).catch((error: unknown) => this.#deps.log(`once: ${String(error)}`))
  }

  /** No sidecar is left: finish what is on record, and put on record that the rest may have been in force. */
  async #finishOffline(): Promise<void> {
    const intent = this.#intent.read()
    if (intent === undefined) return
    const recorded = this.#isRecorded(intent)
    if (recorded || (intent.grants === undefined && intent.image === undefined)) {
      await this.#record(intent)
      await this.#finish(intent)
    } else if (intent.image !== undefined) {
      await this.#deps.image.takeBack(intent.image)
    } else {
      const { fact } = intent
      const detail = { ...fact.detail, decision: intent.decision, interrupted: true }
      const notes = "cut short when the bottle ended; it may have been in force until then"
      await this.#deps.audit.append({ ...fact, operator_action: "interrupted", operator_notes: notes, detail })
    }
    await this.#intent.remove()
  }

  /** The bottle has ended: nothing can be applied any more. */
  async close(): Promise<void> {
    this.#disarm()
    await this.inTurn(() => this.#finishOffline())
    await this.#approvals.remove()
  }

  /** Wait for what is under way; nothing comes after it. */
  async rest(): Promise<void> {
    await this.inTurn(async () => undefined)
    this.#disarm()
    this.#turn = new Promise(() => undefined)
  }

  /** Resolves when exactly this is in force. */
  async #push(grants: readonly Grant[]): Promise<void> {
    const later = laterPolicies(this.#deps.base, grants).map(({ at, policy }) => ({
      at,
      policy: withoutOnce(policy, this.#used),
    }))
    const hash = await this.#channel().policy(this.policyOf(grants), later)
    // Hashed again: a rule may have been used up while this was on its way.
    if (hash !== hashPolicy(this.policyOf(grants))) throw new Error("the sidecar acknowledged another policy")
  }

  #channel(): Channel {
    const channel = this.#deps.channel()
    if (channel === undefined) throw new Error("the sidecars are not up")
    return channel
  }

  async #save({ grants }: Intent): Promise<void> {
    const saved = grants?.find((grant) => !this.#grants.some(({ id }) => id === grant.id))?.saved
    if (saved !== undefined) await saveEdit(this.#deps.disk, saved)
    const gone = grants === undefined ? [] : this.#grants.filter((one) => !grants.some(({ id }) => id === one.id))
    for (const { saved: edit } of gone) if (edit !== undefined) await unsaveEdit(this.#deps.disk, edit)
  }

  /** Put it on record, once however often it is called. */
  async #record(intent: Intent): Promise<number> {
    const found = findRecorded(this.#deps.auditFile, intent.decision)
    if (found !== undefined) return found
    const detail = { ...intent.fact.detail, decision: intent.decision }
    return (await this.#deps.audit.append({ ...intent.fact, detail })).seq
  }

  /** The steps behind the record; each may be repeated. */
  async #finish(intent: Intent): Promise<void> {
    const { queue, disk } = this.#deps
    const { grants, image, response } = intent
    const seq = findRecorded(this.#deps.auditFile, intent.decision) ?? 0
    if (image !== undefined) await this.#deps.image.finish(image, intent.decision, seq)
    if (grants !== undefined) {
      await this.#setGrants(grants.map((grant) => (grant.id === intent.decision ? { ...grant, seq } : grant)))
    }
    if (response === undefined) return
    const { proposal_id: id } = response
    if (queue.find(id) !== undefined) await queue.respond(response)
    // An agent that is not reached is told when it asks.
    await this.#deps
      .channel()
      ?.respond(told(response))
      .catch((error: unknown) => this.#deps.log(`proposal ${id}: the agent was not told: ${String(error)}`))
    await queue.archive(id)
    await disk.sync(queue.dir)
  }

  /** Nothing of it is to be in force, or on its way there. What cannot be made sure stays on disk for the next keeper. */
  async #takeBack(intent: Intent): Promise<void> {
    try {
      if (intent.grants !== undefined) {
        await this.#push(this.#grants).catch((error: unknown) => {
          // A sidecar that is down gets the policy that its supervisor holds, which is the one from before.
          if (this.#deps.channel() !== undefined && !/is not running|ended/.test(String(error))) throw error
        })
      }
      for (const { id, saved } of intent.grants ?? []) {
        const added = saved !== undefined && !this.#grants.some((grant) => grant.id === id)
        if (added) await unsaveEdit(this.#deps.disk, saved)
      }
      if (intent.image !== undefined) await this.#deps.image.takeBack(intent.image)
      await this.#intent.remove()
    } catch (error) {
      this.#deps.log(`decision ${intent.decision}: could not be taken back yet: ${String(error)}`)
    }
  }

  async #setGrants(grants: readonly Grant[]): Promise<void> {
    await this.#approvals.write({ schemaVersion: 1, grants })
    this.#grants = grants
    this.#arm()
  }

  /** Forget what has ended by itself, with a line on record for each. */
  async #dropEnded(): Promise<void> {
    const now = this.#deps.now().toISOString()
    const alive = grantsAt(this.#grants, now).filter(({ id, change }) => change.kind !== "once" || !this.#used.has(id))
    if (alive.length === this.#grants.length) return this.#arm()
    for (const grant of this.#grants.filter((one) => !alive.includes(one))) {
      const used = grant.change.kind === "once"
      await this.#record({
        schemaVersion: 1,
        decision: `${grant.id}-end`,
        fact: {
          component: grant.change.kind === "host" ? "pipelock" : "egress",
          operator_action: used ? "once-used" : "expire",
          operator_notes: "",
          justification: "",
          diff: "",
          detail: { seq_of_approval: grant.seq, ...(grant.until === undefined ? {} : { until: grant.until }) },
        },
      })
    }
    // The supervisor has done it by itself, also without a keeper; this makes sure.
    if (alive.length < this.#grants.length) await this.#push(alive)
    await this.#setGrants(alive)
  }

  #arm(): void {
    this.#disarm()
    const next = this.#grants.flatMap(({ until }) => until ?? []).sort()[0]
    if (next === undefined) return
    this.#disarm = callAt(Date.parse(next) + 1, () => {
      void this.inTurn(() => this.#dropEnded()).catch((error: unknown) => this.#deps.log(`expiry: ${String(error)}`))
    })
  }

  #isRecorded(intent: Intent): boolean {
    return findRecorded(this.#deps.auditFile, intent.decision) !== undefined
  }

  #isInForce({ grants, image, to, decision }: Intent, inForce: InForce): boolean {
    // Nothing has been made of it yet, whatever is written.
    if (image !== undefined) return false
    if (grants === undefined) return true
    return to === hashPolicy(inForce.policy) || inForce.usedOnce.includes(decision)
  }
}

/** What the agent is told: not who decided. */
function told({ proposal_id, status, notes, final_file }: StoredResponse): ProposalResponse {
  return { proposal_id, status, notes, final_file }
}
