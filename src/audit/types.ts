/** One line of `audit/<slug>.jsonl` (DESIGN §8), chained to the one before it. Everything in it may be shown. */

export const auditComponents = ["egress", "pipelock", "git-gate", "capability", "fence", "session"] as const
export type AuditComponent = (typeof auditComponents)[number]

/** What the keeper says; the log adds the rest. */
export interface AuditFact {
  component: AuditComponent
  /** `approve`, `modify`, `reject`, `expire`, `undo`, `operator-edit`, `proof`, `start`, `resume`, `end`, `refused`, … */
  operator_action: string
  /** The operator's words; "" for none. */
  operator_notes: string
  /** The agent's words, hostile; "" for none. */
  justification: string
  /** Unified diff of the real before and after; "" where nothing changed. */
  diff: string
  /** Further facts with stable keys: proposal id, scope, counts, hashes. Never a secret. */
  detail?: Readonly<Record<string, string | number | boolean | null>>
}

export interface AuditEntry extends AuditFact {
  schemaVersion: 1
  /** From 1, without gaps. */
  seq: number
  /** ISO 8601. */
  timestamp: string
  bottle_slug: string
  /** `hash` of the entry before; 64 zeros for the first. */
  prev_hash: string
  /** Ed25519 by this installation's key (128 hex digits) over the canonical JSON of everything above. */
  signature: string
  /** SHA-256 (hex) over the line without this member: the canonical JSON of the rest with `signature` as its last member. */
  hash: string
}

/**
 * The keeper's pen. An entry is on disk, and in the signed head, when the promise resolves; when it cannot be, the promise
 * rejects and there is no entry.
 */
export interface AuditLog {
  append(fact: AuditFact): Promise<AuditEntry>
}
