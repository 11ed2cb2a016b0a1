import type { Decision } from "../../../proposals/decide.ts"
import { isProposalId } from "../../../proposals/identity.ts"
import { mostProposedFile, type Scope } from "../../../proposals/types.ts"
import type { ProposalRequest } from "./wire.ts"

type Unknowns = Readonly<Record<string, unknown>>

/** Longest note or reason, in UTF-16 code units. */
const mostNotes = 4_000
const longestName = 200
const hash = /^[0-9a-f]{64}$/

/** A request about proposals in its shape; undefined for anything else, which must not be taken for some request. */
export function parseProposalRequest(value: Unknowns): ProposalRequest | undefined {
  const { op, id, by } = value
  if (op === "policy") return { op }
  if (op === "proposal") return parseView(value)
  if (!isText(by, longestName)) return undefined
  if (op === "undo") return Number.isSafeInteger(value.seq) ? { op, seq: Number(value.seq), by } : undefined
  if (op === "edit") {
    const { what, text, hash: of } = value
    if (what !== "routes" && what !== "allowlist") return undefined
    return isText(text, 8 * mostProposedFile) && isHash(of) ? { op, what, text, hash: of, by } : undefined
  }
  if (op !== "decide" || !isId(id)) return undefined
  const { file, secrets } = value
  const decision = parseDecision(value.decision)
  if (decision === undefined || (file !== undefined && !isHash(file))) return undefined
  if (secrets !== undefined && !isSecrets(secrets)) return undefined
  return {
    op,
    id,
    decision,
    by,
    ...(file === undefined ? {} : { file }),
    ...(secrets === undefined ? {} : { secrets }),
  }
}

function parseView({ id, save, text, network }: Unknowns): ProposalRequest | undefined {
  if (!isId(id) || (text !== undefined && !isText(text, mostProposedFile))) return undefined
  const own = text === undefined ? {} : { text }
  return { op: "proposal", id, save: save === true, ...own, ...(network === true ? { network } : {}) }
}

function parseDecision(value: unknown): Decision | undefined {
  if (!isObject(value)) return undefined
  const { action, shown, reason, notes, text, typedHost, network } = value
  if (!isHash(shown)) return undefined
  if (action === "reject") return isText(reason, mostNotes) ? { action, shown, reason } : undefined
  const scope = parseScope(value.scope)
  if (action !== "approve" || scope === undefined || !isText(notes, mostNotes)) return undefined
  if (text !== undefined && !isText(text, mostProposedFile)) return undefined
  if (typedHost !== undefined && !isText(typedHost, 1000)) return undefined
  return {
    ...{ action, shown, scope, notes },
    ...(text === undefined ? {} : { text }),
    ...(typedHost === undefined ? {} : { typedHost }),
    ...(network === true ? { network } : {}),
  }
}

function parseScope(value: unknown): Scope | undefined {
  if (!isObject(value)) return undefined
  const { kind, seconds } = value
  if (kind === "once" || kind === "session" || kind === "save") return { kind }
  if (kind !== "for" || !Number.isSafeInteger(seconds) || Number(seconds) < 1) return undefined
  return { kind, seconds: Number(seconds) }
}

const isObject = (value: unknown): value is Unknowns => typeof value === "object" && value !== null
const isId = (value: unknown): value is string => typeof value === "string" && isProposalId(value)
const isHash = (value: unknown): value is string => typeof value === "string" && hash.test(value)

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length <= most && value.isWellFormed() && !value.includes("\0")
}

function isSecrets(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((secret) => typeof secret === "string")
}
