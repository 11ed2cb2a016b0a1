import type { EgressPolicy } from "../../policy/types.ts"
import type { Change } from "../grants.ts"
import type { Scope } from "../types.ts"

/** What an approval does, decided and not yet done. */
export type Remedy =
  /** To be applied and acknowledged. `change` absent: everything that was asked for is permitted already. */
  | {
      kind: "change"
      change?: Change
      /** In place of what the agent's image is made from, from the next launch on. */
      image?: ImageWish
      /** In the form of the proposal, for the agent. */
      final: string
    }
  /** It cannot be approved like this; nothing was done. */
  | { kind: "refused"; why: string; hint?: string }

export interface ImageWish {
  dockerfile: string
  /** Whether its RUNs have a network. */
  network: boolean
}

export interface RemedyContext {
  policy: EgressPolicy
  /** The decision's own id. */
  decision: string
  scope: Scope
  /** A host that the operator typed to tie a credential to it (SECURITY 19). */
  typedHost?: string
}
