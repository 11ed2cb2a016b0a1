import type { AuditFact } from "../../../../audit/types.ts"
import { unifiedDiff } from "../../../../lib/unified-diff.ts"
import { hashText } from "../../../../proposals/identity.ts"
import type { ImageChange } from "../../../approved-image.ts"
import type { ProposalDesk } from "../desk.ts"
import type { Outcome } from "../wire.ts"

/** How a change of the image is named in diffs. */
const name = "Dockerfile"

export const imageDiff = (before: string, after: string): string => unifiedDiff(name, before, after)

/** Put back what the image was made from before an approval: only the last one, since each is a whole file. */
export async function undoImage(
  change: ImageChange,
  by: string,
  decision: string,
  desk: ProposalDesk,
): Promise<Outcome> {
  const { image, plan } = desk
  const last = image.changes.at(-1)
  if (last === undefined || last.id !== change.id) {
    return {
      kind: "refused",
      why: `the image was changed again by line ${last?.seq ?? "?"}`,
      hint: `take that back first: bottle undo ${last?.seq ?? "?"} ${plan.slug}`,
    }
  }
  const step = image.revert(change)
  if (step === undefined) {
    return { kind: "refused", why: `the Dockerfile is not what line ${change.seq} of the audit made any more` }
  }
  const fact = revertFact("undo", change, image.live(), { by })
  const done = await desk.decider.carryOut({ decision, fact, image: step })
  if (done.kind === "failed") return done
  const resumes = { resume: `bottle resume ${plan.slug}` }
  return {
    kind: "done",
    status: "undone",
    seq: done.seq,
    applied: { diff: fact.diff, notes: "", warnings: [], ...resumes },
  }
}

/** `undo` by the operator, `put-back` by a build that failed. */
export function revertFact(
  action: "undo" | "put-back",
  { seq, before }: ImageChange,
  now: string,
  detail: NonNullable<AuditFact["detail"]>,
): AuditFact {
  return {
    ...{ component: "capability", operator_action: action, operator_notes: "", justification: "" },
    diff: imageDiff(now, before.text),
    detail: { ...detail, undone: seq, dockerfile_before: hashText(now), dockerfile_after: hashText(before.text) },
  }
}
