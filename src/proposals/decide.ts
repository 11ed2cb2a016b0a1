import type { EgressPolicy } from "../policy/types.ts"
import { type CheckContext, checkProposal, type Meaning } from "./check.ts"
import type { Change } from "./grants.ts"
import { hashShown } from "./identity.ts"
import { capabilityRemedy } from "./remedies/capability.ts"
import { egressRemedy } from "./remedies/egress.ts"
import { pipelockRemedy } from "./remedies/pipelock.ts"
import type { ImageWish } from "./remedies/remedy.ts"
import type { Proposal, ProposalResponse, ResponseStatus, Scope } from "./types.ts"

/** What an operator decides, and what was shown when it was decided (DESIGN, invariant 7). */
export type Decision = { shown: string } & (
  | {
      action: "approve"
      scope: Scope
      notes: string
      /** The operator's own text in place of the agent's; absent: as proposed. */
      text?: string
      typedHost?: string
      /** The RUNs of this Dockerfile shall have a network: the operator's own choice, never a proposal's. */
      network?: boolean
    }
  | { action: "reject"; reason: string }
)

export type Decided =
  /** What was shown is not what is. */
  | { kind: "stale" }
  | { kind: "refused"; why: string; hint?: string }
  | {
      kind: "go"
      meaning: Meaning | undefined
      /** Absent: nothing has to be applied. */
      change?: Change
      /** The image is made from this from the next launch on: the bottle is to be stopped. */
      image?: ImageWish
      response: ProposalResponse
      /** In the audit. */
      component: "egress" | "pipelock" | "capability"
    }

export interface DecideContext extends CheckContext {
  policy: EgressPolicy
  /** The text that is changed by the proposal, as it is now. */
  live: string
  /** Id of this decision. */
  decision: string
}

/** The note that an agent reads on what the operator changed (BEHAVIOUR 8). */
export const modifiedNote = "operator modified before approving"

const components = {
  "egress-block": "egress",
  "pipelock-block": "pipelock",
  "capability-block": "capability",
} as const satisfies Readonly<Record<Proposal["tool"], string>>

/** Decide one proposal: pure but for loading the parsers. What comes out is still to be applied. */
export async function decideProposal(proposal: Proposal, decision: Decision, context: DecideContext): Promise<Decided> {
  const component = components[proposal.tool]
  if (decision.shown !== hashShown(proposal, context.live)) return { kind: "stale" }
  if (decision.action === "reject") {
    if (decision.reason.trim() === "") return { kind: "refused", why: "a rejection needs a reason: the agent reads it" }
    return { kind: "go", meaning: undefined, component, response: answer(proposal, "rejected", decision.reason, "") }
  }
  const modified = decision.text !== undefined && decision.text !== proposal.proposed_file
  const text = decision.text ?? proposal.proposed_file
  const network = decision.network === true
  if (network && proposal.tool !== "capability-block") {
    return { kind: "refused", why: "--network is about the build of a Dockerfile", hint: "leave --network out" }
  }
  const meaning = await checkProposal(proposal.tool, text, context)
  if (meaning.kind === "bad") {
    return { kind: "refused", why: `${modified ? "your text" : "the proposal"} cannot be applied: ${meaning.why}` }
  }
  const status = modified ? "modified" : "approved"
  const notes = [modified ? modifiedNote : "", decision.notes].filter(Boolean).join("; ")
  const remedied = {
    ...context,
    scope: decision.scope,
    ...(decision.typedHost === undefined ? {} : { typedHost: decision.typedHost }),
  }
  const remedy = (() => {
    const { value } = meaning
    switch (value.tool) {
      case "egress-block":
        return egressRemedy(value.route, remedied)
      case "pipelock-block":
        return pipelockRemedy(value.host, value.url, remedied)
      case "capability-block":
        return capabilityRemedy(value.dockerfile, { scope: decision.scope, live: context.live, network })
    }
  })()
  if (remedy.kind === "refused") return remedy
  return {
    kind: "go",
    meaning: meaning.value,
    component,
    ...(remedy.change === undefined ? {} : { change: remedy.change }),
    ...(remedy.image === undefined ? {} : { image: remedy.image }),
    response: answer(proposal, status, notes, remedy.final),
  }
}

function answer(proposal: Proposal, status: ResponseStatus, notes: string, final: string): ProposalResponse {
  return { proposal_id: proposal.id, status, notes, final_file: final }
}
