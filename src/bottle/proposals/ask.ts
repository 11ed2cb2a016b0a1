import { userInfo } from "node:os"
import { BottleError } from "../../lib/errors.ts"
import type { Paths } from "../../lib/paths.ts"
import { askKeeper } from "../client.ts"
import type { Outcome, PolicyView, ProposalRequest, ProposalView } from "../keeper/proposals/wire.ts"
import { slugs } from "../registry.ts"
import { StateDir } from "../state.ts"

/** An open proposal as its keeper sees it, or what became of it. */
export async function viewProposal(
  paths: Paths,
  slug: string,
  id: string,
  more: { save?: boolean; text?: string; network?: boolean } = {},
): Promise<{ view: ProposalView } | { outcome: Outcome }> {
  const { view, outcome } = await askKeeper(paths, slug, { op: "proposal", id, save: false, ...more })
  if (view !== undefined) return { view }
  return { outcome: outcome ?? { kind: "unknown" } }
}

export async function viewPolicy(paths: Paths, slug: string): Promise<PolicyView> {
  const { policy } = await askKeeper(paths, slug, { op: "policy" })
  if (policy === undefined) throw new Error("the keeper did not say its policy")
  return policy
}

/** Ask for a change and wait until it is in force, or is not. */
export async function change(
  paths: Paths,
  slug: string,
  request: Extract<ProposalRequest, { op: "decide" | "edit" | "undo" }>,
): Promise<Outcome> {
  const { outcome } = await askKeeper(paths, slug, request)
  return outcome ?? { kind: "unknown" }
}

/** Who decides, for the record. */
export function operator(): string {
  const who = `uid ${process.getuid?.() ?? "?"}, pid ${process.pid}`
  try {
    const { username } = userInfo()
    return username === "unknown" ? who : `${username} (${who})`
  } catch {
    return who
  }
}

/** The bottle in which the line of this number of its audit is an approval in force. Throws `BottleError`. */
export function bottleOfApproval(paths: Paths, seq: number): string {
  const having = slugs(paths).filter((slug) => new StateDir(paths.state(slug)).approvals.includes(seq))
  const [slug, other] = having
  if (slug === undefined) {
    throw new BottleError(`nothing in force was decided by line ${seq} of an audit`, {
      code: "unknown-approval",
      exit: "notFound",
      hint: "what is in force: bottle routes show SLUG",
    })
  }
  if (other === undefined) return slug
  throw new BottleError(`line ${seq} is an approval in ${having.join(", ")}`, {
    code: "ambiguous",
    exit: "usage",
    hint: `say which: bottle undo ${seq} ${slug}`,
  })
}
