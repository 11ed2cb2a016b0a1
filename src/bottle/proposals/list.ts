import { existsSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import type { Paths } from "../../lib/paths.ts"
import { isProposalId } from "../../proposals/identity.ts"
import {
  archivedIds,
  byArrival,
  type Flood,
  proposalFile,
  queueSlugs,
  readFlood,
  readOpen,
  readProposal,
  readResponse,
  type StoredResponse,
} from "../../proposals/queue/files.ts"
import type { Proposal } from "../../proposals/types.ts"

export interface Listed {
  proposal: Proposal
  /** Of one that is decided. */
  response?: StoredResponse
}

/** Proposals of every bottle, or of one, oldest first: the open ones, or the archived ones as well. Reads files only. */
export function listProposals(paths: Paths, slug: string | undefined, archived: boolean) {
  const warnings: string[] = []
  const listed: Listed[] = []
  for (const one of slug === undefined ? queueSlugs(paths.queue) : [slug]) {
    const dir = join(paths.queue, one)
    const open = readOpen(dir, one)
    warnings.push(...open.warnings)
    const flood = readFlood(dir)
    if (flood !== undefined) warnings.push(floodWords(one, flood))
    listed.push(...open.proposals.map((proposal) => ({ proposal })))
    if (archived) listed.push(...readArchive(dir, one, warnings))
  }
  return { listed: listed.sort((a, b) => byArrival(a.proposal, b.proposal)), warnings }
}

/** Whether there is, or was and has left proposals, a bottle of this name. */
export function hasProposals(paths: Paths, slug: string): boolean {
  return existsSync(paths.state(slug)) || existsSync(join(paths.queue, slug))
}

/** The one line about an agent that asks for more than it may. */
export function floodWords(slug: string, { at, message }: Flood): string {
  return `${slug} is over its limit since ${at}, and more is refused: ${message}`
}

/** The bottle that a proposal is or was of. Throws `BottleError` (exit 5). */
export function bottleOf(paths: Paths, id: string): { slug: string; decided: Listed | undefined } {
  if (!isProposalId(id)) throw unknownProposal(id)
  for (const slug of queueSlugs(paths.queue)) {
    const dir = join(paths.queue, slug)
    const answered = readResponse(dir, id).kind === "read"
    if (!answered && existsSync(join(dir, proposalFile(id)))) return { slug, decided: undefined }
    const archive = answered ? dir : join(dir, "archive")
    const proposal = readProposal(archive, id, slug)
    const response = readResponse(archive, id)
    if (proposal.kind !== "read") continue
    const decided = response.kind === "read" ? { proposal: proposal.value, response: response.value } : undefined
    return { slug, decided: decided ?? { proposal: proposal.value } }
  }
  throw unknownProposal(id)
}

export function unknownProposal(id: string): BottleError {
  return new BottleError(`no proposal ${JSON.stringify(id.slice(0, 40))}`, {
    code: "unknown-proposal",
    exit: "notFound",
    hint: "those that are open: bottle proposals",
  })
}

function readArchive(dir: string, slug: string, warnings: string[]): Listed[] {
  const archive = join(dir, "archive")
  return archivedIds(dir).flatMap((id) => {
    const proposal = readProposal(archive, id, slug)
    const response = readResponse(archive, id)
    if (proposal.kind === "broken") warnings.push(proposal.warning)
    if (response.kind === "broken") warnings.push(response.warning)
    if (proposal.kind !== "read") return []
    return [{ proposal: proposal.value, ...(response.kind === "read" ? { response: response.value } : {}) }]
  })
}
