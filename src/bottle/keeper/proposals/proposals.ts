import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { CallResult, SidecarCall, SidecarEvent, SidecarName } from "../../../../sidecars/control.ts"
import { realDisk } from "../../../lib/disk.ts"
import type { Paths } from "../../../lib/paths.ts"
import { readOpen } from "../../../proposals/queue/files.ts"
import type { QueueChanges } from "../../../proposals/queue/queue.ts"
import type { SidecarCalls } from "../control/calls.ts"
import type { ControlLink, Hello } from "../control/control-link.ts"
import type { EndDeps } from "../ending/end.ts"
import { Notices } from "../notices/notices.ts"
import type { Settled } from "../protocol.ts"
import type { Channel } from "./decider-deps.ts"
import type { ProposalDesk } from "./desk.ts"
import type { ProposalAnswer, ProposalRequest } from "./wire.ts"

/** How long a sidecar may take to acknowledge, in ms; then what was sent counts as not in force. */
const patience = 20_000

type ProposalDeps = Pick<EndDeps, "paths" | "plan" | "audit" | "state">

/** A keeper's proposals, opened when first needed: most bottles start and end without one. */
export class Proposals implements SidecarCalls {
  readonly #deps: ProposalDeps
  readonly #link: () => ControlLink | undefined
  readonly #notices: Notices
  readonly #stop: () => Promise<Settled>
  #desk: Promise<ProposalDesk> | undefined
  /** Settles when every call that came has its answer. */
  #asked: Promise<unknown> = Promise.resolve()

  /** `stop` ends the bottle, as its operator would. */
  constructor(deps: ProposalDeps, link: () => ControlLink | undefined, stop: () => Promise<Settled>) {
    this.#deps = deps
    this.#link = link
    this.#stop = stop
    const { paths, plan, state } = deps
    const log = (text: string) => state.log("sidecars", text)
    this.#notices = new Notices({ paths, slug: plan.slug, env: process.env, log })
  }

  onCall(_sidecar: SidecarName, request: SidecarCall): Promise<CallResult> {
    const answer = this.#open().then((desk) => desk.onCall(request))
    this.#asked = Promise.allSettled([this.#asked, answer])
    return answer
  }

  onTold(event: SidecarEvent): void {
    if (event.kind === "once-used") void this.#open().then((desk) => desk.onTold(event))
  }

  onHealth(degraded: boolean): void {
    this.#notices.health(degraded)
  }

  /** A resumed bottle: its policy is the file's again, and what its end left unanswered is offered again. */
  async resume(): Promise<void> {
    await (await this.#open()).begin(true)
  }

  /** What a dead keeper left: what it had begun is finished or taken back. */
  async takeOver({ policy = this.#deps.plan.policy, usedOnce = [] }: Hello): Promise<void> {
    await (await this.#open()).takeOver({ policy, usedOnce })
    this.#notices.changed()
  }

  async answer(request: ProposalRequest): Promise<ProposalAnswer> {
    const answer = await (await this.#open()).answer(request)
    if (request.op !== "decide" || !this.#isToStop) return answer
    // The agent has its answer: it goes on with its other image when it is resumed.
    const { warnings } = await this.#stop()
    const { outcome } = answer
    if (outcome?.kind !== "done") return answer
    const { applied } = outcome
    return { outcome: { ...outcome, applied: { ...applied, warnings: [...applied.warnings, ...warnings] } } }
  }

  /** A running bottle has a marker only when a decision is to end it. */
  get #isToStop(): boolean {
    return this.#deps.state.rest !== undefined
  }

  /** Finish what is under way and start nothing more; whoever ends the bottle answers what is open. */
  async rest(): Promise<void> {
    this.#notices.rest()
    await this.#asked
    await this.#desk?.then((desk) => desk.rest()).catch(() => undefined)
  }

  /** The bottle has ended: the operator's tmux learns how it left things. Never rejects, and takes a second at most. */
  lastNotice(): Promise<void> {
    return this.#notices.last()
  }

  #open(): Promise<ProposalDesk> {
    this.#desk ??= openDesk(this.#deps, () => channelOf(this.#link()), this.#notices).then((desk) => {
      desk.watchAge()
      return desk
    })
    return this.#desk
  }
}

/** How many proposals of a bottle nobody has answered. */
export function openProposals({ paths, plan }: Pick<ProposalDeps, "paths" | "plan">): number {
  return readOpen(join(paths.queue, plan.slug), plan.slug).proposals.length
}

/** Remove the queue of a bottle whose state goes: what was decided is in the audit. */
export function removeQueue(paths: Paths, slug: string): void {
  rmSync(join(paths.queue, slug), { recursive: true, force: true })
}

/** The bottle has ended: every open proposal is answered with why, and is offered again should it be resumed. */
export async function closeProposals(deps: ProposalDeps, reason: string): Promise<void> {
  const { paths, plan, state } = deps
  if (!existsSync(join(paths.queue, plan.slug)) && !existsSync(join(state.path, "approvals.json"))) return
  const desk = await openDesk(deps, () => undefined)
  await desk.close(reason)
}

/** The desk of a bottle; without a channel for one whose processes have ended. */
export async function openDesk(
  { paths, plan, audit, state }: ProposalDeps,
  channel: () => Channel | undefined,
  notices: QueueChanges = {},
) {
  const { ProposalDesk } = await import("./desk.ts")
  const log = (text: string) => state.log("sidecars", text)
  return ProposalDesk.open({ paths, plan, audit, disk: realDisk, channel, now: () => new Date(), log, notices })
}

function channelOf(link: ControlLink | undefined): Channel | undefined {
  if (link === undefined) return undefined
  return {
    policy: (policy, later) => inTime(link.send({ type: "policy", policy, later })),
    async secrets(secrets) {
      await inTime(link.send({ type: "secrets", sidecar: "egress", secrets: { ...secrets } }))
    },
    async respond(response) {
      await inTime(link.send({ type: "response", response }))
    },
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no acknowledgement within ${patience / 1000} s`)), patience)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
