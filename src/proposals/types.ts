/**
 * What an agent asks for, and what became of it, as the queue's files have it (DESIGN §8). The keeper of a bottle is the
 * only writer of its queue.
 */

export const proposalTools = ["egress-block", "pipelock-block", "capability-block"] as const
export type ProposalTool = (typeof proposalTools)[number]

/** Longest texts of a proposal, in UTF-16 code units. A Dockerfile is at most 64 KiB. */
export const mostProposedFile = 64 * 1024
export const mostJustification = 4 * 1024

/** `queue/<slug>/<id>.proposal.json`. */
export interface Proposal {
  schemaVersion: 1
  /** `p` and 10 base36 characters, made by the keeper; never the agent's word. */
  id: string
  bottle_slug: string
  tool: ProposalTool
  /**
   * What the agent proposes, as text: for `egress-block` one route in YAML, in the words of a manifest; for
   * `pipelock-block` the URL that was refused; for `capability-block` a Dockerfile.
   */
  proposed_file: string
  /** The agent's own words: hostile text, never believed. */
  justification: string
  /** ISO 8601. */
  arrival_timestamp: string
  /** SHA-256 (hex) of the live text that the proposal would change, at arrival. */
  current_file_hash: string
}

export type ResponseStatus = "approved" | "modified" | "rejected" | "expired"

/** `queue/<slug>/<id>.response.json`, and what the agent is told. */
export interface ProposalResponse {
  proposal_id: string
  status: ResponseStatus
  /** The operator's words, or why it expired; "" for none. */
  notes: string
  /** What was applied, in the form of `proposed_file`; "" where nothing was. */
  final_file: string
}

/** How long an approval lasts. `once` is for `egress-block` only: the next request that matches. */
export type Scope =
  | { kind: "once" }
  | { kind: "session" }
  /** Seconds. */
  | { kind: "for"; seconds: number }
  /** `session`, and written into the bottle's file. */
  | { kind: "save" }
