import { statSync } from "node:fs"
import { type Head, headName, headPath } from "../head-log.ts"
import type { AuditPublicKey } from "../key.ts"
import { readRawLines } from "../read-lines.ts"
import { ChainFollower, type ChainLink, judgeLine, judgeTorn } from "./chain.ts"
import { checkSetAside } from "./check-set-aside.ts"
import { type Finding, type LogReport, mostFindings } from "./finding.ts"

/** The head as far as it can be believed, and what is wrong with it. */
export interface CheckedHead {
  report: LogReport
  /** How far the log of each bottle went, by its newest line. */
  heads: Map<string, Head>
}

export interface HeadToCheck {
  /** Bytes of it that count. */
  size: number
  key: AuditPublicKey | undefined
  /** What the hash of one of its lines must begin with; "" for nothing. */
  expect: string
}

/** Check `head.jsonl`: every line's hash and place, every bottle's numbers, whose key signed, and the last signature. */
export function checkHead(audit: string, { size, key, expect }: HeadToCheck): CheckedHead {
  const findings: Finding[] = []
  const find = (finding: Finding | undefined) => {
    if (finding !== undefined && findings.length < mostFindings) findings.push(finding)
  }
  const heads = new Map<string, Head>()
  const chain = new ChainFollower()
  let last: ChainLink | undefined
  let line = 0
  let met = expect === ""
  for (const raw of size === 0 ? [] : readRawLines(headPath(audit), size)) {
    if (raw.kind === "torn") {
      find(judgeTorn(raw.bytes))
      continue
    }
    line += 1
    const judged = judgeLine(raw, line, "head_seq")
    if (judged.kind === "bad") {
      find(judged.finding)
      chain.skip()
      continue
    }
    last = judged.link
    met ||= last.opened.hash.startsWith(expect)
    find(anew(last) ?? chain.follow(last))
    if (anew(last)) chain.follow(last)
    find(foreign(last, key))
    find(enter(heads, last))
    const { torn } = last.opened.content
    if (typeof torn === "string") find(checkSetAside(headPath(audit), torn, line))
  }
  if (last !== undefined && key !== undefined && !foreign(last, key) && !verifies(last, key)) {
    find({
      severity: "tampering",
      kind: "foreign-key",
      line: last.line,
      text: `the head is not signed by this installation's key`,
    })
  }
  if (!met) {
    const text =
      "the state that was expected is no part of this one: all was returned to an earlier one, or it is another audit"
    find({ severity: "tampering", kind: "rolled-back", text })
  }
  return { report: { slug: headName, entries: line, last: last?.opened.hash ?? "", findings }, heads }
}

const verifies = ({ opened }: ChainLink, key: AuditPublicKey) => key.verifies(opened.signed, opened.signature)

function anew({ line, seq }: ChainLink): Finding | undefined {
  if (seq !== 1 || line === 1) return undefined
  const text = `the chain begins anew at line ${line}: the line before it was not this installation's`
  return { severity: "tampering", kind: "broken-head", line, text }
}

function foreign({ line, opened }: ChainLink, key: AuditPublicKey | undefined): Finding | undefined {
  const id = opened.content.key
  if (key === undefined || id === key.id) return undefined
  const whose = typeof id === "string" && /^[0-9a-f]{64}$/.test(id) ? ` (${id.slice(0, 16)}…)` : ""
  const text = `line ${line} is signed by another key${whose} than this installation's`
  return { severity: "tampering", kind: "foreign-key", line, text }
}

/** Every bottle's entries are entered one by one: a gap or a step back is a log, or a head, that was removed. */
function enter(heads: Map<string, Head>, { line, opened }: ChainLink): Finding | undefined {
  const { bottle_slug: slug, seq, entry_hash: hash } = opened.content
  const wrong = (kind: Finding["kind"], text: string): Finding => ({ severity: "tampering", kind, line, text })
  if (typeof slug !== "string" || typeof seq !== "number" || typeof hash !== "string") {
    return wrong("changed", `line ${line} names no entry`)
  }
  const before = heads.get(slug)?.seq ?? 0
  heads.set(slug, { seq, hash })
  if (seq === before + 1) return undefined
  if (seq > before)
    return wrong("removed", `lines for entries ${before + 1} to ${seq - 1} of a bottle are missing before line ${line}`)
  return wrong("removed", `line ${line}: a bottle's log was begun again at entry ${seq} after entry ${before}`)
}

/** Bytes of a file, 0 when it is not there. */
export function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0
    throw error
  }
}
