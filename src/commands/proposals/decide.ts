import { readFileSync } from "node:fs"
import type { Outcome, ProposalView } from "../../bottle/keeper/proposals/wire.ts"
import { viewProposal } from "../../bottle/proposals/ask.ts"
import { bottleOf } from "../../bottle/proposals/list.ts"
import { BottleError } from "../../lib/errors.ts"
import { cancelled } from "../../lib/terminal.ts"
import { parseDuration } from "../../manifest/values/sizes.ts"
import type { Scope } from "../../proposals/types.ts"
import { diffLines, outcomeLines, proposalLines } from "../../ui/proposal-lines.ts"
import { usageError } from "../_command.ts"
import { editText } from "../_editor.ts"
import type { Shell } from "../_shell.ts"
import type { ProposalArgs } from "../proposals.ts"
import { exitOf } from "./exit.ts"
import { sendApproval, sendRejection, suffixes } from "./send.ts"

/** `approve` and `modify`: shown, confirmed, applied; what is printed then is what was applied. */
export async function runApprove(id: string, modify: boolean, args: ProposalArgs, shell: Shell): Promise<number> {
  const scope = scopeOf(args)
  const { slug, decided } = bottleOf(shell.paths, id)
  const { network, "rebuild-now": rebuild } = args
  const look = { save: scope.kind === "save", network }
  const seen =
    decided === undefined ? await viewProposal(shell.paths, slug, id, look) : { outcome: takenBy(decided.response) }
  if ("outcome" in seen) return tell(seen.outcome, id, slug, args.json, shell)
  const { view } = seen
  if ((network || rebuild) && view.proposal.tool !== "capability-block")
    throw usageError(`--${network ? "network" : "rebuild-now"} is about a Dockerfile, and ${id} is none`)
  if (!args.yes && args["proposal-hash"] === undefined && !shell.terminal.interactive) {
    throw usageError("nobody is here to confirm", `--proposal-hash HASH of show --json, or --yes for what is there now`)
  }
  const text = modify ? await ownText(view, args, shell) : undefined
  // What the operator wrote is judged as what the agent wrote was.
  const own = text === undefined ? seen : await viewProposal(shell.paths, slug, id, { ...look, text })
  if ("outcome" in own) return tell(own.outcome, id, slug, args.json, shell)
  await confirm(own.view, text, args, shell)
  if (rebuild && own.view.cannot === undefined) {
    const { buildFirst } = await import("./rebuild.ts")
    await buildFirst(slug, text ?? view.proposal.proposed_file, network, shell)
  }
  const shown = args["proposal-hash"] ?? own.view.shown
  const approval = { shown, scope, notes: args.note ?? "", text, typedHost: args["with-credential-to"], network }
  const outcome = await sendApproval(own.view, approval, shell)
  const code = tell(outcome, id, slug, args.json, shell)
  if (!rebuild || outcome.kind !== "done" || outcome.applied.resume === undefined) return code
  return (await import("./rebuild.ts")).resumeNow(slug, args.json, shell)
}

export async function runReject(id: string, args: ProposalArgs, shell: Shell): Promise<number> {
  const reason = args.reason?.trim() ?? ""
  if (reason === "") throw usageError("a rejection needs a reason, which the agent reads", "--reason TEXT")
  const { slug, decided } = bottleOf(shell.paths, id)
  const seen =
    decided === undefined ? await viewProposal(shell.paths, slug, id) : { outcome: takenBy(decided.response) }
  if ("outcome" in seen) return tell(seen.outcome, id, slug, args.json, shell)
  const shown = args["proposal-hash"] ?? seen.view.shown
  const outcome = await sendRejection(seen.view, shown, reason, shell)
  return tell(outcome, id, slug, args.json, shell)
}

function scopeOf({ once, for: time, save }: ProposalArgs): Scope {
  if ([once, time !== undefined, save].filter(Boolean).length > 1) {
    throw usageError("--once, --for and --save exclude each other", "without one it holds until the bottle ends")
  }
  if (once) return { kind: "once" }
  if (save) return { kind: "save" }
  if (time === undefined) return { kind: "session" }
  const seconds = parseDuration(time)
  if (seconds.kind === "bad") throw usageError(`--for: ${seconds.why}`)
  return { kind: "for", seconds: seconds.value }
}

/** The operator's own text, from a file or the editor; unchanged is no modification. */
async function ownText(view: ProposalView, args: ProposalArgs, shell: Shell): Promise<string> {
  const { proposed_file, tool } = view.proposal
  const { file } = args
  if (file === undefined && !shell.terminal.interactive) throw usageError("nobody is here to edit", "--file PATH")
  const text = file === undefined ? await editText(proposed_file, suffixes[tool], shell.env) : readText(file)
  if (text.trimEnd() !== proposed_file.trimEnd()) return text
  throw new BottleError("modify aborted: nothing was changed", {
    code: "unchanged",
    exit: "cancelled",
    hint: `as it is: bottle proposals approve ${view.proposal.id}`,
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? "unknown error"
    throw new BottleError(`${path} cannot be read (${why})`, { code: "file", exit: "usage", cause })
  }
}

async function confirm(view: ProposalView, text: string | undefined, args: ProposalArgs, shell: Shell): Promise<void> {
  if (args.yes || args["proposal-hash"] !== undefined) {
    if (view.save !== undefined && "diff" in view.save)
      for (const line of diffLines(view.save.diff)) shell.log.info(line)
    return
  }
  for (const line of proposalLines(view, text)) shell.log.info(line)
  if (!(await shell.terminal.confirm(text === undefined ? "approve?" : "approve your text?", "pass --yes")))
    throw cancelled()
}

function takenBy(response: { status: string; decided_by: string; decided_at: string } | undefined): Outcome {
  if (response === undefined) return { kind: "unknown" }
  const { status, decided_by, decided_at } = response
  return { kind: "taken", status: status as never, by: decided_by ?? "?", at: decided_at ?? "?" }
}

function tell(outcome: Outcome, id: string, slug: string, json: boolean, shell: Shell): number {
  if (json) shell.printJson({ proposal: id, bottle: slug, outcome })
  else {
    for (const line of outcomeLines(outcome, id, slug)) shell.log.info(line)
    if (outcome.kind === "done") for (const line of diffLines(outcome.applied.diff)) shell.print(line)
    if (outcome.kind === "stale") shell.log.info(`  bottle proposals show ${id}`)
  }
  return exitOf(outcome)
}
