import { createHash } from "node:crypto"
import { canonicalJson } from "./canonical-json.ts"
import type { EgressPolicy } from "./types.ts"

/** SHA-256 in hex over the policy's canonical JSON: what a decision is bound to and an acknowledgement names. */
export function hashPolicy(policy: EgressPolicy): string {
  return createHash("sha256").update(canonicalJson(policy)).digest("hex")
}
