import { randomBytes } from "node:crypto"
import type { CallResult, SidecarCall } from "../../../../sidecars/control.ts"
import { canonicalJson } from "../../../policy/canonical-json.ts"
import { printRoute } from "../../../policy/route-text.ts"
import type { EgressPolicy, Route } from "../../../policy/types.ts"
import { widenPolicy } from "../../../policy/widen.ts"
import { type CheckContext, checkProposal, type Meaning } from "../../../proposals/check.ts"
import { hashText, makeProposalId } from "../../../proposals/identity.ts"
import { FloodGate } from "../../../proposals/queue/limits.ts"
import type { Queue } from "../../../proposals/queue/queue.ts"
import type { Proposal } from "../../../proposals/types.ts"
import { listRoutes } from "../control/calls.ts"

export interface AskDeps {
  slug: string
  queue: Queue
  context(): CheckContext
  /** The text that a proposal of this kind would change, as it is now. */
  live(tool: Proposal["tool"]): string
  now(): Date
  /** A line for the operator. */
  log(text: string): void
}

type Propose = Extract<SidecarCall, { op: "propose" }>

/** What an agent may ask of its keeper. Nothing it says is believed, looked up or done; it is checked and written down. */
export class AgentDesk {
  readonly #deps: AskDeps
  readonly #gate: FloodGate

  constructor(deps: AskDeps) {
    this.#deps = deps
    const open = deps.queue.open()
    this.#gate = new FloodGate(
      () => deps.now().getTime(),
      open.map(({ arrival_timestamp: at }) => at),
    )
  }

  async answer(request: SidecarCall): Promise<CallResult> {
    switch (request.op) {
      case "list-egress-routes":
        return listRoutes(this.#deps.context().policy)
      case "proposal-status":
        return this.status(request.id)
      case "propose":
        return this.#propose(request)
    }
  }

  status(id: string): CallResult {
    const { queue } = this.#deps
    const known = /^p[0-9a-z]{10}$/.test(id)
    const answer = known ? queue.answer(id) : undefined
    if (answer !== undefined) {
      const { proposal_id, status, notes, final_file } = answer
      return { kind: "decided", response: { proposal_id, status, notes, final_file } }
    }
    if (known && queue.find(id) !== undefined) return { kind: "pending", id }
    return { kind: "refused", message: "This bottle has no proposal with this id." }
  }

  async #propose({ tool, proposed_file, justification }: Propose): Promise<CallResult> {
    const { queue, slug, now, log } = this.#deps
    const context = this.#deps.context()
    const meaning = await checkProposal(tool, proposed_file, context)
    if (meaning.kind === "bad") return { kind: "refused", message: `The proposal cannot be taken: ${meaning.why}.` }
    if (isPermitted(meaning.value, context.policy, this.#deps.live(tool))) {
      const isImage = tool === "capability-block"
      const message = isImage
        ? "The image is made from exactly this."
        : "This is permitted already: send the request again."
      return { kind: "refused", message }
    }
    const text = textOf(meaning.value)
    const open = queue.open()
    const same = open.find((other) => other.tool === tool && other.proposed_file === text)
    if (same !== undefined) return { kind: "pending", id: same.id }
    const refused = this.#gate.refuse(open)
    if (refused !== undefined) {
      const { message } = refused
      if (refused.first) {
        log(`proposals: over the limit, more are refused: ${message}`)
        await queue.setFlood({ schemaVersion: 1, at: now().toISOString(), message })
      }
      return { kind: "refused", message }
    }
    const id = makeProposalId(randomBytes)
    const proposal: Proposal = {
      schemaVersion: 1,
      id,
      bottle_slug: slug,
      tool,
      proposed_file: text,
      justification,
      arrival_timestamp: now().toISOString(),
      current_file_hash: hashText(this.#deps.live(tool)),
    }
    await queue.add(proposal)
    await queue.setFlood(undefined)
    return { kind: "pending", id }
  }
}

/** Everything that is asked for is there. `live` is the Dockerfile of today. */
export function isPermitted(meaning: Meaning, policy: EgressPolicy, live: string): boolean {
  if (meaning.tool === "capability-block") return meaning.dockerfile === live
  return widenPolicy(policy, routeOf(meaning)) === policy
}

function routeOf(meaning: Exclude<Meaning, { tool: "capability-block" }>): Route {
  if (meaning.tool === "pipelock-block") return { host: meaning.host, scheme: "https", port: 443 }
  return meaning.route
}

/** A proposal in our own words: what an agent wrote around its meaning is left out. */
function textOf(meaning: Meaning): string {
  if (meaning.tool === "egress-block") return printRoute(meaning.route)
  return meaning.tool === "pipelock-block" ? meaning.url : meaning.dockerfile
}

/** Equal policies have equal texts: what `current_file_hash` is made from. */
export const liveText = (policy: EgressPolicy): string => canonicalJson(policy)
