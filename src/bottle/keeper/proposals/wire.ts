import type { Finding } from "../../../proposals/blast-radius/index.ts"
import type { Decision } from "../../../proposals/decide.ts"
import type { Proposal, ResponseStatus, Scope } from "../../../proposals/types.ts"

/** One proposal as an operator sees it (BEHAVIOUR 10). Names in it are foreign: made safe where they are printed. */
export interface ProposalView {
  proposal: Proposal
  /** What a decision names: hash of the proposal and of what it would change, as they are here. */
  shown: string
  /** Where it lies. */
  path: string
  /** The exact line that approval adds; absent where it cannot be approved as it is. */
  adds?: string
  /** Why it cannot be approved as it is. */
  cannot?: string
  /** All that it asks for is permitted already. */
  already: boolean
  /** The host that has to be typed, since a credential would newly go there (SECURITY 19). */
  typeHost?: string
  findings: readonly Finding[]
  /** Unified diff of what is in force, or of the Dockerfile. */
  diff: string
  /** How often this bottle was refused at the host, and what it last tried. */
  refusals: Refusals
  /** With `--save`: what would be written into a bottle's file. */
  save?: SaveView | { cannot: string; hint: string }
}

export interface Refusals {
  host: string
  count: number
  last?: { time: string; method?: string; path?: string; reason?: string }
}

export interface SaveView {
  path: string
  diff: string
  /** SHA-256 of the file that the diff was made from. */
  sha256: string
}

/** What became of a decision, an edit or an undo. */
export type Outcome =
  /** In force, acknowledged, on record, and the agent told. */
  | { kind: "done"; status: ResponseStatus | "edited" | "undone"; seq: number; applied: Applied }
  /** What was shown is not what is: show it again. */
  | { kind: "stale" }
  /** Somebody else was first. */
  | { kind: "taken"; status: ResponseStatus; by: string; at: string }
  /** It cannot be done like this; nothing was. */
  | { kind: "refused"; why: string; hint?: string }
  /** It was tried and is not in force; a proposal stays open. */
  | { kind: "failed"; why: string; hint?: string }
  | { kind: "unknown" }
  /** An edit that says what is in force. */
  | { kind: "unchanged" }

export interface Applied {
  /** Unified diff of the policy in force, "" where nothing changed. */
  diff: string
  scope?: Scope
  /** ISO 8601. */
  until?: string
  /** The command that makes it take effect; absent: it is in force. */
  resume?: string
  /** The file it was saved into. */
  saved?: string
  /** What the agent was told. */
  notes: string
  /** Further things to know, a line each. */
  warnings: readonly string[]
}

export interface PolicyView {
  hash: string
  /** As `routes edit` and `allowlist edit` take them. */
  routes: string
  allowlist: string
  /** Approvals and edits in force, oldest first. */
  /** Approved changes of the image, oldest first. */
  images: readonly { seq: number; network: boolean }[]
  grants: readonly { seq: number; scope: Scope; until?: string; what: string }[]
}

/** What commands ask of a keeper about proposals and the policy in force. */
export type ProposalRequest =
  /** `text`, an operator's own, is shown in place of what is proposed; `network` with what that choice means. */
  | { op: "proposal"; id: string; save: boolean; text?: string; network?: boolean }
  | {
      op: "decide"
      id: string
      decision: Decision
      /** Who decides, for the record. */
      by: string
      /** SHA-256 of the file that `--save` was shown for. */
      file?: string
      /** Values of slots that an approval newly needs. */
      secrets?: Readonly<Record<string, string>>
    }
  | { op: "policy" }
  | { op: "edit"; what: "routes" | "allowlist"; text: string; hash: string; by: string }
  | { op: "undo"; seq: number; by: string }

export type ProposalAnswer = { view?: ProposalView; outcome?: Outcome; policy?: PolicyView }
