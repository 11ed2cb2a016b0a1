import { randomBytes } from "node:crypto"
import type { Grant } from "../../../proposals/grants.ts"
import type { ProposalDesk } from "./desk.ts"
import { changeFact } from "./facts.ts"
import { undoImage } from "./image/undo-image.ts"
import type { Outcome, ProposalRequest } from "./wire.ts"

/**
 * Take back one approval or edit, by its number in the audit; what was decided since stays. What was saved into a file
 * is taken out of it too, where it still stands there word for word.
 */
export async function undoGrant(
  { seq, by }: Extract<ProposalRequest, { op: "undo" }>,
  desk: ProposalDesk,
): Promise<Outcome> {
  const { decider } = desk
  const decision = `d${randomBytes(8).toString("hex")}`
  const change = desk.image.changes.find((one) => one.seq === seq)
  if (change !== undefined) return undoImage(change, by, decision, desk)
  const grant = decider.grants.find((one) => one.seq === seq)
  if (grant === undefined) {
    return {
      kind: "refused",
      why: `nothing that is in force was decided by line ${seq} of the audit`,
      hint: `what is in force: bottle routes show ${desk.plan.slug}`,
    }
  }
  const grants = decider.grants.filter((one) => one !== grant)
  const before = decider.policy
  const after = decider.policyOf(grants)
  const component = componentOf(grant)
  const fact = changeFact("undo", component, { before, after }, { undone: seq, by })
  const done = await decider.carryOut({ decision, grants, fact })
  if (done.kind === "failed") return done
  const warnings = fact.diff === "" ? ["a later decision says the same or more: what is permitted did not change"] : []
  const saved = grant.saved === undefined ? {} : { saved: grant.saved.path }
  return { kind: "done", status: "undone", seq: done.seq, applied: { diff: fact.diff, notes: "", warnings, ...saved } }
}

export function componentOf({ change }: Grant): "egress" | "pipelock" {
  const listed = change.kind === "edit" && change.put.length + change.drop.length === 0
  return change.kind === "host" || listed ? "pipelock" : "egress"
}
