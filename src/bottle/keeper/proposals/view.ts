import { join } from "node:path"
import { unifiedDiff } from "../../../lib/unified-diff.ts"
import { printAllowlist } from "../../../policy/allowlist.ts"
import { explainMatch, explainOrigin } from "../../../policy/explain.ts"
import { hashPolicy } from "../../../policy/hash.ts"
import { printRouteList } from "../../../policy/route-text.ts"
import type { EgressPolicy } from "../../../policy/types.ts"
import { blastRadius, whatIsAdded } from "../../../proposals/blast-radius/index.ts"
import { checkProposal, type Meaning, tiesCredential } from "../../../proposals/check.ts"
import { applyChange, type Grant } from "../../../proposals/grants.ts"
import { hashShown } from "../../../proposals/identity.ts"
import { proposalFile } from "../../../proposals/queue/files.ts"
import { egressRemedy } from "../../../proposals/remedies/egress.ts"
import { pipelockRemedy } from "../../../proposals/remedies/pipelock.ts"
import type { Remedy } from "../../../proposals/remedies/remedy.ts"
import type { Proposal } from "../../../proposals/types.ts"
import { isPermitted } from "./ask.ts"
import type { ProposalDesk } from "./desk.ts"
import { policyDiff } from "./facts.ts"
import { imageDiff } from "./image/undo-image.ts"
import { refusalsOf } from "./refusals.ts"
import { planSaveOf } from "./save/files.ts"
import type { PolicyView, ProposalRequest, ProposalView, Refusals } from "./wire.ts"

/** Everything that an operator is shown of a proposal, computed now and bound to what is in force now. */
export async function describeProposal(
  proposal: Proposal,
  desk: ProposalDesk,
  { save, text = proposal.proposed_file, network = false }: Wish,
): Promise<ProposalView> {
  const context = desk.context()
  const live = desk.live(proposal.tool)
  const checked = await checkProposal(proposal.tool, text, context)
  const about = {
    proposal,
    shown: hashShown(proposal, live),
    path: join(desk.queue.dir, proposalFile(proposal.id)),
  }
  if (checked.kind === "bad") {
    const refusals: Refusals = { host: "", count: 0 }
    return { ...about, cannot: checked.why, already: false, findings: [], diff: "", refusals }
  }
  const meaning = checked.value
  const { policy } = context
  const typeHost =
    meaning.tool === "egress-block" && tiesCredential(policy, meaning.route) ? meaning.route.host : undefined
  const remedy = remedyFor(meaning, desk, typeHost)
  const change = remedy.kind === "change" ? remedy.change : undefined
  const saved = save && change !== undefined ? await saveView(change, desk) : undefined
  return {
    ...about,
    adds: whatIsAdded(meaning),
    ...(remedy.kind === "refused" ? { cannot: remedy.why } : {}),
    already: isPermitted(meaning, policy, live),
    ...(typeHost === undefined ? {} : { typeHost }),
    findings: blastRadius(meaning, policy, live, network),
    diff: meaning.tool === "capability-block" ? imageDiff(live, meaning.dockerfile) : changeDiff(policy, change),
    refusals: refusalsOf(desk.stateDir, hostOf(meaning)),
    ...(saved === undefined ? {} : { save: saved }),
  }
}

type Wish = Pick<Extract<ProposalRequest, { op: "proposal" }>, "save" | "text" | "network">

function changeDiff(policy: EgressPolicy, change: Grant["change"] | undefined): string {
  return change === undefined ? "" : policyDiff(policy, applyChange(policy, change))
}

function remedyFor(meaning: Meaning, desk: ProposalDesk, typedHost: string | undefined): Remedy {
  const context = { policy: desk.decider.policy, decision: "shown", scope: { kind: "session" as const } }
  if (meaning.tool === "pipelock-block") return pipelockRemedy(meaning.host, meaning.url, context)
  if (meaning.tool === "capability-block") return { kind: "change", final: meaning.dockerfile }
  return egressRemedy(meaning.route, typedHost === undefined ? context : { ...context, typedHost })
}

function hostOf(meaning: Meaning): string {
  if (meaning.tool === "capability-block") return ""
  return meaning.tool === "pipelock-block" ? meaning.host : meaning.route.host
}

async function saveView(change: Grant["change"], desk: ProposalDesk): Promise<NonNullable<ProposalView["save"]>> {
  const planned = await planSaveOf(change, desk)
  if (planned.kind === "refused") return { cannot: planned.why, hint: planned.hint }
  const before = (await desk.files()).find(({ path }) => path === planned.edit.path)?.text ?? ""
  const diff = unifiedDiff(planned.display, before, planned.text)
  return { path: planned.edit.path, diff, sha256: planned.edit.before }
}

/** The policy in force, in the texts that an operator edits. */
export function describePolicy({ decider, image }: ProposalDesk): PolicyView {
  const { policy, grants } = decider
  return {
    hash: hashPolicy(policy),
    routes: printRouteList(policy.routes),
    allowlist: printAllowlist(policy.allowlist),
    images: image.changes.map(({ seq, network }) => ({ seq, network })),
    grants: grants.map(({ seq, scope, until, change }) => ({
      seq,
      scope,
      ...(until === undefined ? {} : { until }),
      what: explainChange(change),
    })),
  }
}

function explainChange(change: Grant["change"]): string {
  if (change.kind === "host") return `https://${change.host}: whole host (allowlist)`
  if (change.kind === "edit") {
    const { put, drop, list, unlist } = change
    const parts = [...put.map(explainOrigin), ...drop.map((key) => `without ${key}`), ...list]
    return `edit: ${[...parts, ...unlist.map((host) => `without ${host}`)].join(", ")}`
  }
  const route = change.kind === "once" ? change.rule.route : change.route
  const matches = route.matches === undefined ? "whole host" : route.matches.map(explainMatch).join(" | ")
  return `${explainOrigin(route)}: ${matches}`
}
