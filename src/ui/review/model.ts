import type { Outcome, ProposalView } from "../../bottle/keeper/proposals/wire.ts"
import type { Proposal, Scope } from "../../proposals/types.ts"
import type { Key } from "./keys.ts"

/** How long an approval shall last, in the order in which they are offered. */
export interface ScopeChoice {
  key: Key
  words: string
  scope: Scope
}

export type Mode =
  | { kind: "look" }
  /** `a` was pressed; Enter approves for the chosen time. */
  | { kind: "scope"; choice: number }
  /** The host to which a credential shall go is typed (SECURITY 19). */
  | { kind: "host"; scope: Scope; text: string }
  | { kind: "reason"; text: string }
  | { kind: "busy"; words: string }
  | { kind: "help" }

export interface Message {
  lines: readonly string[]
  tone: "good" | "bad" | "plain"
}

/** What is shown of the proposal at hand. */
export interface Shown {
  view: ProposalView
  /** The operator's own text in place of the agent's. */
  text?: string
  /** The text of the operator's that the view is about; absent: the agent's. */
  of?: string
}

/** All that the screen shows and the next key depends on. */
export interface Review {
  /** Open proposals, oldest first. */
  open: readonly Proposal[]
  /** The one at hand. */
  at: string | undefined
  /** Undefined while it is read, or cannot be. */
  shown: Shown | undefined
  mode: Mode
  /** Keys count: none was pressed for a second since this was drawn (SECURITY 21). */
  armed: boolean
  /** Counts what was drawn anew: a new one needs its own second. */
  epoch: number
  /** First line of the page on the screen. */
  scroll: number
  /** Lines of the page that were on the screen at some time, from its start. */
  seen: number
  /** Those that were put off. */
  later: ReadonlySet<string>
  message: Message | undefined
  size: Size
}

export interface Size {
  rows: number
  columns: number
}

/** What happened. */
export type Happening =
  | { kind: "key"; key: Key }
  /** A second went by without a key. */
  | { kind: "quiet" }
  | { kind: "size"; size: Size }
  | { kind: "queue"; open: readonly Proposal[] }
  | { kind: "view"; id: string; view: ProposalView; text?: string }
  | { kind: "unreadable"; id: string; why: string }
  /** What became of a decision of ours. */
  | { kind: "decided"; id: string; outcome: Outcome; lines: readonly string[] }
  | { kind: "edited"; id: string; text: string | undefined }

/** What shall be done. */
export type Effect =
  | { kind: "load"; id: string; save: boolean; text?: string }
  | { kind: "approve"; shown: Shown; scope: Scope; typedHost?: string }
  | { kind: "reject"; shown: Shown; reason: string }
  | { kind: "edit"; shown: Shown }
  | { kind: "leave" }

export interface Step {
  review: Review
  effects: readonly Effect[]
}

export function startReview(size: Size, first: string | undefined): Review {
  return {
    open: [],
    at: first,
    shown: undefined,
    mode: { kind: "look" },
    armed: false,
    epoch: 0,
    scroll: 0,
    seen: 0,
    later: new Set(),
    message: undefined,
    size,
  }
}

/** What a proposal can be approved for. */
export function scopesOf({ tool }: Proposal): readonly ScopeChoice[] {
  const session: ScopeChoice = { key: "s", words: "this session", scope: { kind: "session" } }
  if (tool === "capability-block") return [session]
  return [
    session,
    ...(tool === "egress-block" ? [{ key: "o", words: "one request", scope: { kind: "once" } } as const] : []),
    { key: "t", words: "30 minutes", scope: { kind: "for", seconds: 1800 } },
    { key: "f", words: "and the file", scope: { kind: "save" } },
  ]
}

/** The view is asked for with what saving it would write. */
export const wantsSave = ({ mode, shown }: Review): boolean =>
  mode.kind === "scope" && shown !== undefined && scopesOf(shown.view.proposal)[mode.choice]?.scope.kind === "save"
