import type { Outcome } from "../../bottle/keeper/proposals/wire.ts"
import { viewProposal } from "../../bottle/proposals/ask.ts"
import { BottleError } from "../../lib/errors.ts"
import type { Proposal } from "../../proposals/types.ts"
import { outcomeLines } from "../../ui/proposal-lines.ts"
import type { Effect, Happening } from "../../ui/review/model.ts"
import type { Screen } from "../../ui/review/screen.ts"
import { editText } from "../_editor.ts"
import type { Shell } from "../_shell.ts"
import { sendApproval, sendRejection, suffixes } from "../proposals/send.ts"

export interface EffectPlace {
  shell: Shell
  screen: Screen
  open: readonly Proposal[]
}

/** Do what a key asked for, by the same code as `bottle proposals`; what became of it happens next. Never rejects. */
export async function carryOut(effect: Exclude<Effect, { kind: "leave" }>, place: EffectPlace): Promise<Happening> {
  const { shell, screen } = place
  if (effect.kind === "load") return load(effect, place)
  const { view, text } = effect.shown
  const { id, bottle_slug: slug, tool, proposed_file } = view.proposal
  if (effect.kind === "edit") {
    const edited = await screen
      .lend(() => editText(text ?? proposed_file, suffixes[tool], shell.env))
      .catch((error: unknown) => ({ failed: decided(id, slug, failure(error)) }))
    return typeof edited === "object" ? edited.failed : { kind: "edited", id, text: edited }
  }
  const send = () =>
    effect.kind === "reject"
      ? sendRejection(view, view.shown, effect.reason, shell)
      : sendApproval(
          view,
          { shown: view.shown, scope: effect.scope, notes: "", text, typedHost: effect.typedHost },
          shell,
        )
  // A value that is nowhere is asked for, on the terminal as it is without us.
  const asks = effect.kind === "approve" && effect.typedHost !== undefined
  const outcome = await (asks ? screen.lend(send) : send()).catch(failure)
  return decided(id, slug, outcome)
}

async function load(
  { id, save, text }: Extract<Effect, { kind: "load" }>,
  { shell, open }: EffectPlace,
): Promise<Happening> {
  const own = text === undefined ? {} : { text }
  const slug = open.find((proposal) => proposal.id === id)?.bottle_slug ?? ""
  try {
    const seen = await viewProposal(shell.paths, slug, id, { save, ...own })
    return "view" in seen ? { kind: "view", id, view: seen.view, ...own } : decided(id, slug, seen.outcome)
  } catch (error) {
    return { kind: "unreadable", id, why: words(error) }
  }
}

const decided = (id: string, slug: string, outcome: Outcome): Happening => ({
  kind: "decided",
  id,
  outcome,
  lines: outcomeLines(outcome, id, slug),
})

function failure(error: unknown): Outcome {
  const hint = error instanceof BottleError ? error.hint : undefined
  const why = error instanceof Error ? error.message : String(error)
  return { kind: "failed", why, ...(hint === undefined ? {} : { hint }) }
}

function words(error: unknown): string {
  const { why, hint } = failure(error) as { why: string; hint?: string }
  return hint === undefined ? why : `${why} (${hint})`
}
