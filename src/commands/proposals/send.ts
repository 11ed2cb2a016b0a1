import type { Outcome, ProposalView } from "../../bottle/keeper/proposals/wire.ts"
import { change, operator } from "../../bottle/proposals/ask.ts"
import type { ProposalTool, Scope } from "../../proposals/types.ts"
import type { Shell } from "../_shell.ts"

/** What an editor is told a proposal's text is. */
export const suffixes: Readonly<Record<ProposalTool, string>> = {
  "egress-block": ".yaml",
  "pipelock-block": ".txt",
  "capability-block": ".dockerfile",
}

export interface Approval {
  /** Hash of what was shown. */
  shown: string
  scope: Scope
  notes: string
  /** The operator's own text. */
  text?: string | undefined
  typedHost?: string | undefined
  /** The RUNs of a Dockerfile shall have a network. */
  network?: boolean
}

/**
 * Approve what was shown. With a typed host the value of the slot is looked up first, which may ask for it. Throws
 * `BottleError` when it is nowhere, or the bottle cannot be reached.
 */
export async function sendApproval(view: ProposalView, approval: Approval, shell: Shell): Promise<Outcome> {
  const { proposal, save } = view
  const { text, typedHost, network, ...rest } = approval
  const secrets = typedHost === undefined ? undefined : await secretOf(text ?? proposal.proposed_file, shell)
  return change(shell.paths, proposal.bottle_slug, {
    op: "decide",
    id: proposal.id,
    by: operator(),
    decision: {
      action: "approve",
      ...rest,
      ...(text === undefined ? {} : { text }),
      ...(typedHost === undefined ? {} : { typedHost }),
      ...(network === true ? { network } : {}),
    },
    ...(save !== undefined && "sha256" in save ? { file: save.sha256 } : {}),
    ...(secrets === undefined ? {} : { secrets }),
  })
}

/** Reject what was shown, with a reason that the agent reads. */
export function sendRejection(view: ProposalView, shown: string, reason: string, shell: Shell): Promise<Outcome> {
  const { id, bottle_slug } = view.proposal
  const decision = { action: "reject", shown, reason } as const
  return change(shell.paths, bottle_slug, { op: "decide", id, by: operator(), decision })
}

/** The value of the slot that a route names: it must be there before the route is. Throws `BottleError` (exit 4). */
async function secretOf(text: string, shell: Shell): Promise<Record<string, string> | undefined> {
  const { parseRoute } = await import("../../proposals/route-text.ts")
  const parsed = await parseRoute(text)
  const slot = parsed.kind === "ok" ? parsed.value.auth?.token_ref : undefined
  if (slot === undefined) return undefined
  const [{ startDeps }, { resolveSecrets }] = await Promise.all([
    import("../_start-deps.ts"),
    import("../../bottle/secrets.ts"),
  ])
  const { secrets } = await startDeps(shell)
  return (await resolveSecrets([slot], {}, secrets)).slots
}
