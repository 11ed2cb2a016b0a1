import { createHash } from "node:crypto"
import { canonicalJson } from "../policy/canonical-json.ts"
import type { Proposal } from "./types.ts"

const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"
const idShape = /^p[0-9a-z]{10}$/

/** A new proposal's id: `p` and 10 base36 characters of `random`. */
export function makeProposalId(random: (bytes: number) => Uint8Array): string {
  let text = "p"
  while (text.length < 11) {
    // 252 is the largest multiple of 36 in a byte: above it a letter would be likelier than others.
    for (const byte of random(20)) if (byte < 252 && text.length < 11) text += base36[byte % 36]
  }
  return text
}

/** Checked wherever an id arrives from outside, before it becomes part of a path. */
export function isProposalId(text: string): boolean {
  return idShape.test(text)
}

export function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}

/**
 * What a decision names (DESIGN, invariant 7): the proposal word for word, and all that it would change, as the
 * operator saw them. If either moved it is another hash.
 */
export function hashShown(proposal: Proposal, live: string): string {
  return hashText(canonicalJson({ proposal, live }))
}
