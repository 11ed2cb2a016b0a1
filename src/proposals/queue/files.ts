import { readdirSync, readFileSync, renameSync } from "node:fs"
import { basename, join } from "node:path"
import { isSlug } from "../../lib/slug.ts"
import { isProposalId } from "../identity.ts"
import { type Proposal, type ProposalResponse, proposalTools, type ResponseStatus } from "../types.ts"

/** What is on disk of an answer beside what the agent is told. */
export interface StoredResponse extends ProposalResponse {
  schemaVersion: 1
  /** Who decided: user and terminal; `bottle` for what nobody decided. */
  decided_by: string
  /** ISO 8601. */
  decided_at: string
  /** It ended with its bottle, undecided: offered again when that is resumed. */
  ended?: true
}

export const proposalFile = (id: string): string => `${id}.proposal.json`
export const responseFile = (id: string): string => `${id}.response.json`

/** In a queue while its bottle asks for more than it may: what is over is refused, and said once. */
export const floodFile = "flood.json"

export interface Flood {
  schemaVersion: 1
  /** ISO 8601: the first that was refused. */
  at: string
  /** What the agent is told. */
  message: string
}

/** Undefined: everything that was asked for was taken. */
export function readFlood(dir: string): Flood | undefined {
  try {
    const flood = asFields(JSON.parse(readFileSync(join(dir, floodFile), "utf8")))
    const { at, message } = flood ?? {}
    return typeof at === "string" && typeof message === "string" ? { schemaVersion: 1, at, message } : undefined
  } catch {
    return undefined
  }
}

const statuses: readonly ResponseStatus[] = ["approved", "modified", "rejected", "expired"]

/** A file of a queue, or why it is none; what does not parse is moved aside and never stops a listing (DESIGN §7). */
type Read<T> = { kind: "read"; value: T } | { kind: "missing" } | { kind: "broken"; warning: string }

export function readProposal(dir: string, id: string, slug: string): Read<Proposal> {
  return readFile(join(dir, proposalFile(id)), (value) => isProposal(value, id, slug))
}

export function readResponse(dir: string, id: string): Read<StoredResponse> {
  return readFile(join(dir, responseFile(id)), (value): value is StoredResponse => isResponse(value, id))
}

/** What is open in one bottle's queue, oldest first: proposals without an answer. */
export function readOpen(dir: string, slug: string): { proposals: Proposal[]; warnings: string[] } {
  const names = namesIn(dir)
  const all = new Set(names)
  const proposals: Proposal[] = []
  const warnings: string[] = []
  for (const name of names) {
    const id = /^(.*)\.proposal\.json$/.exec(name)?.[1]
    if (id === undefined || !isProposalId(id) || all.has(responseFile(id))) continue
    const read = readProposal(dir, id, slug)
    if (read.kind === "read") proposals.push(read.value)
    if (read.kind === "broken") warnings.push(read.warning)
  }
  return { proposals: proposals.sort(byArrival), warnings }
}

/** Slugs that have a queue. */
export function queueSlugs(root: string): string[] {
  return namesIn(root).filter(isSlug)
}

/** Ids in an archive. */
export function archivedIds(dir: string): string[] {
  return namesIn(join(dir, "archive")).flatMap((name) => {
    const id = /^(.*)\.proposal\.json$/.exec(name)?.[1]
    return id !== undefined && isProposalId(id) ? [id] : []
  })
}

export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

export function byArrival(a: Proposal, b: Proposal): number {
  return a.arrival_timestamp.localeCompare(b.arrival_timestamp) || a.id.localeCompare(b.id)
}

function readFile<T>(path: string, is: (value: unknown) => value is T): Read<T> {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return code === "ENOENT" ? { kind: "missing" } : setAside(path)
  }
  try {
    const value: unknown = JSON.parse(text)
    if (is(value)) return { kind: "read", value }
  } catch {
    // Moved aside below, like one that parses and is none of ours.
  }
  return setAside(path)
}

function setAside(path: string): { kind: "broken"; warning: string } {
  const aside = `${path}.broken-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`
  try {
    renameSync(path, aside)
    return { kind: "broken", warning: `${basename(path)} could not be read: set aside as ${aside}` }
  } catch {
    return { kind: "broken", warning: `${path} could not be read` }
  }
}

function isProposal(value: unknown, id: string, slug: string): value is Proposal {
  const fields = asFields(value)
  return (
    fields?.schemaVersion === 1 &&
    fields.id === id &&
    fields.bottle_slug === slug &&
    (proposalTools as readonly unknown[]).includes(fields.tool) &&
    ["proposed_file", "justification", "arrival_timestamp", "current_file_hash"].every(
      (name) => typeof fields[name] === "string",
    ) &&
    !Number.isNaN(Date.parse(String(fields.arrival_timestamp)))
  )
}

function isResponse(value: unknown, id: string): value is StoredResponse {
  const fields = asFields(value)
  return (
    fields?.proposal_id === id &&
    (statuses as readonly unknown[]).includes(fields.status) &&
    typeof fields.notes === "string" &&
    typeof fields.final_file === "string"
  )
}

function asFields(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined
}
