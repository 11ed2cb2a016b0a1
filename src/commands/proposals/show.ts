import { viewProposal } from "../../bottle/proposals/ask.ts"
import { bottleOf, type Listed } from "../../bottle/proposals/list.ts"
import { ExitCode } from "../../lib/errors.ts"
import { outcomeLines, proposalLines } from "../../ui/proposal-lines.ts"
import { safeText } from "../../ui/safe-text.ts"
import type { Shell } from "../_shell.ts"
import type { ProposalArgs } from "../proposals.ts"
import { exitOf } from "./exit.ts"

export async function runShow(id: string, args: ProposalArgs, shell: Shell): Promise<number> {
  const { slug, decided } = bottleOf(shell.paths, id)
  if (decided !== undefined) return showDecided(decided, args.json, shell)
  const seen = await viewProposal(shell.paths, slug, id, { save: args.save, network: args.network })
  if ("outcome" in seen) {
    if (args.json) shell.printJson({ outcome: seen.outcome })
    else for (const line of outcomeLines(seen.outcome, id, slug)) shell.log.info(line)
    return exitOf(seen.outcome)
  }
  const { shown, ...rest } = seen.view
  if (args.json) {
    shell.printJson({ hash: shown, ...rest })
    return ExitCode.ok
  }
  for (const line of proposalLines(seen.view)) shell.print(line)
  shell.log.info("")
  shell.log.info(`next: bottle proposals approve ${id}, or reject ${id} --reason TEXT`)
  return ExitCode.ok
}

function showDecided({ proposal, response }: Listed, json: boolean, shell: Shell): number {
  if (json) shell.printJson({ proposal, response: response ?? null })
  else {
    const { id, bottle_slug, tool } = proposal
    shell.print(`proposal  ${id} (${tool}) of ${safeText(bottle_slug, 40)}`)
    shell.print(`status    ${response?.status ?? "?"} by ${safeText(response?.decided_by ?? "?", 100)}`)
    shell.print(`at        ${safeText(response?.decided_at ?? "?", 30)}`)
    if (response?.notes) shell.print(`told      ${safeText(response.notes)}`)
    for (const line of safeText(response?.final_file ?? "", 4000, { lines: true })
      .trimEnd()
      .split("\n")) {
      if (line !== "") shell.print(`  ${line}`)
    }
  }
  return ExitCode.ok
}
