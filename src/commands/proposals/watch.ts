import { type WatchEvent, watchProposals } from "../../bottle/proposals/watch.ts"
import { ExitCode } from "../../lib/errors.ts"
import { aboutWhat } from "../../ui/proposal-lines.ts"
import { safeJson, safeText } from "../../ui/safe-text.ts"
import type { Shell } from "../_shell.ts"
import { checkSlug } from "../_slug.ts"
import type { ProposalArgs } from "../proposals.ts"

/** One line an event, until it is interrupted. */
export async function runWatch(args: ProposalArgs, shell: Shell): Promise<number> {
  const slug = args.bottle === undefined ? undefined : checkSlug(args.bottle)
  for await (const event of watchProposals(shell.paths, slug, new AbortController().signal)) {
    shell.print(args.json ? safeJson({ schemaVersion: 1, ...event }, 0) : lineOf(event))
  }
  return ExitCode.ok
}

function lineOf(event: WatchEvent): string {
  if (event.event === "open") {
    const { id, bottle_slug, tool, arrival_timestamp } = event.proposal
    return `${safeText(arrival_timestamp, 30)} [${safeText(bottle_slug, 40)}] open     ${id} ${tool} ${aboutWhat(event.proposal)}`
  }
  if (event.event === "flood") {
    const { slug, flood } = event
    return `${safeText(flood.at, 30)} [${safeText(slug, 40)}] limit    more is refused: ${safeText(flood.message, 200)}`
  }
  const { response, slug } = event
  const at = safeText(response.decided_at ?? "?", 30)
  return `${at} [${safeText(slug, 40)}] ${response.status.padEnd(8)} ${response.proposal_id} ${safeText(response.notes, 100)}`.trimEnd()
}
