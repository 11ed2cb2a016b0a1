import type { AuditFact } from "../../../audit/types.ts"
import { unifiedDiff } from "../../../lib/unified-diff.ts"
import { hashPolicy } from "../../../policy/hash.ts"
import type { EgressPolicy } from "../../../policy/types.ts"
import { hashText } from "../../../proposals/identity.ts"
import { printPolicy } from "../../../proposals/route-text.ts"
import type { Proposal, ProposalResponse, Scope } from "../../../proposals/types.ts"
import { imageDiff } from "./image/undo-image.ts"

const components = { "egress-block": "egress", "pipelock-block": "pipelock", "capability-block": "capability" } as const
const actions = { approved: "approve", modified: "modify", rejected: "reject", expired: "expire" } as const

export function policyDiff(before: EgressPolicy, after: EgressPolicy): string {
  return unifiedDiff("policy", printPolicy(before), printPolicy(after))
}

/** A decision, with the diff of what is really in force before and after. */
export function decisionFact(about: {
  proposal: Proposal
  response: ProposalResponse
  component: AuditFact["component"]
  before: EgressPolicy
  after: EgressPolicy
  scope: Scope | undefined
  until: string | undefined
  by: string
  /** The image's part: the Dockerfile before and after, and whether its RUNs have a network. */
  image: { before: string; after: string; network: boolean } | undefined
}): AuditFact {
  const { proposal, response, before, after, scope, until, by, image } = about
  return {
    component: about.component,
    operator_action: actions[response.status],
    operator_notes: response.notes,
    justification: proposal.justification,
    diff: image === undefined ? policyDiff(before, after) : imageDiff(image.before, image.after),
    detail: {
      proposal: proposal.id,
      tool: proposal.tool,
      by,
      ...(scope === undefined ? {} : { scope: scope.kind }),
      ...(until === undefined ? {} : { until }),
      policy_before: hashPolicy(before),
      policy_after: hashPolicy(after),
      ...(image === undefined ? {} : imageDetail(image)),
    },
  }
}

function imageDetail({ before, after, network }: { before: string; after: string; network: boolean }) {
  return { dockerfile_before: hashText(before), dockerfile_after: hashText(after), build_network: network }
}

/** What happened to a proposal without changing anything. */
export function plainFact(proposal: Proposal, action: string, notes: string): AuditFact {
  return {
    component: components[proposal.tool],
    operator_action: action,
    operator_notes: notes,
    justification: proposal.justification,
    diff: "",
    detail: { proposal: proposal.id, tool: proposal.tool },
  }
}

/** An operator's change of the policy without a proposal. */
export function changeFact(
  action: "operator-edit" | "undo",
  component: AuditFact["component"],
  policies: { before: EgressPolicy; after: EgressPolicy },
  detail: NonNullable<AuditFact["detail"]>,
): AuditFact {
  const { before, after } = policies
  const hashes = { policy_before: hashPolicy(before), policy_after: hashPolicy(after) }
  const diff = policyDiff(before, after)
  return {
    component,
    operator_action: action,
    operator_notes: "",
    justification: "",
    diff,
    detail: { ...detail, ...hashes },
  }
}
