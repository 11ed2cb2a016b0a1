import { unknownSlug } from "../../bottle/client.ts"
import { hasProposals, type Listed, listProposals } from "../../bottle/proposals/list.ts"
import { ExitCode } from "../../lib/errors.ts"
import { aboutWhat, onceLines } from "../../ui/proposal-lines.ts"
import type { Shell } from "../_shell.ts"
import { checkSlug } from "../_slug.ts"
import { printTable } from "../_table.ts"
import type { ProposalArgs } from "../proposals.ts"

export async function runList(args: ProposalArgs, shell: Shell): Promise<number> {
  const slug = args.bottle === undefined ? undefined : checkSlug(args.bottle)
  if (slug !== undefined && !hasProposals(shell.paths, slug)) throw unknownSlug(slug)
  const { listed, warnings } = listProposals(shell.paths, slug, args.all)
  for (const warning of warnings) shell.log.warn(warning)
  if (args.json) {
    shell.printJson({ proposals: listed.map(asData) })
    return ExitCode.ok
  }
  if (listed.length === 0) shell.log.info(args.all ? "no proposals" : "no pending proposals")
  else if (args.once) for (const { proposal } of listed) for (const line of onceLines(proposal)) shell.print(line)
  else printRows(listed, args.all, shell)
  return ExitCode.ok
}

function printRows(listed: readonly Listed[], all: boolean, shell: Shell): void {
  printTable(
    ["PROPOSAL", "BOTTLE", "ASKS WITH", "FOR", all ? "STATE" : "SINCE"],
    listed.map(({ proposal, response }) => [
      proposal.id,
      proposal.bottle_slug,
      proposal.tool,
      aboutWhat(proposal),
      all ? (response?.status ?? "open") : proposal.arrival_timestamp,
    ]),
    shell,
  )
  const first = listed.find(({ response }) => response === undefined)
  if (first !== undefined) shell.log.info(`next: bottle proposals show ${first.proposal.id}`)
}

function asData({ proposal, response }: Listed): object {
  return { ...proposal, status: response?.status ?? "pending", ...(response === undefined ? {} : { response }) }
}
