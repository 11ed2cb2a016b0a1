import type { Outcome, ProposalView, Refusals } from "../bottle/keeper/proposals/wire.ts"
import type { Finding } from "../proposals/blast-radius/index.ts"
import type { Proposal, ProposalTool, Scope } from "../proposals/types.ts"
import { safeText } from "./safe-text.ts"
import { wrapText } from "./wrap.ts"

/** Longest reason and payload that are shown, in characters; what is left out is counted. */
const mostReason = 2_000
const mostPayload = 8_000
const mostDiffLines = 60

/** What a tool's `proposed_file` is called where it is shown. */
export const payloadNames: Readonly<Record<ProposalTool, string>> = {
  "egress-block": "proposed route",
  "pipelock-block": "failed URL",
  "capability-block": "proposed Dockerfile",
}

/** What a proposal is about, in a few words of a list. */
export function aboutWhat({ tool, proposed_file: text }: Proposal, most = 60): string {
  if (tool === "capability-block") return "a new image"
  if (tool === "pipelock-block") return safeText(text, most)
  return safeText(/^host: (.*)$/m.exec(text)?.[1] ?? "a route", most)
}

/** BEHAVIOUR 9: one line, then the indented reason. */
export function onceLines({ id, bottle_slug, tool, arrival_timestamp, justification }: Proposal): string[] {
  const reason = safeText(justification, mostReason, { lines: true }).split("\n")
  return [
    `${safeText(arrival_timestamp, 30)} [${safeText(bottle_slug, 40)}] ${tool} ${id}`,
    ...reason.map((line) => `  ${line}`),
  ]
}

/** One screen that answers: who asks for what, what would change, how bad could it be (BEHAVIOUR 10). */
export function proposalLines(view: ProposalView, payloadOf: string = view.proposal.proposed_file): string[] {
  const { proposal, path, adds, cannot, already, findings, refusals, typeHost } = view
  const { id, bottle_slug, tool, arrival_timestamp, justification } = proposal
  return [
    `bottle    ${safeText(bottle_slug, 40)}`,
    `proposal  ${id} (${tool})`,
    `arrived   ${safeText(arrival_timestamp, 30)}`,
    `file      ${safeText(path)}`,
    "",
    "reason (the agent's words)",
    ...indented(justification, mostReason),
    "",
    payloadNames[tool],
    ...indented(payloadOf, mostPayload),
    "",
    ...dockerfileDiff(view),
    ...(already ? ["approving adds nothing: all of it is permitted already"] : addLines(adds, cannot)),
    ...(typeHost === undefined ? [] : [`  to send the credential there, type the host: --with-credential-to HOST`]),
    "",
    ...findingLines(findings),
    ...refusalLines(refusals),
    ...saveLines(view),
  ]
}

function dockerfileDiff({ proposal, diff }: ProposalView): string[] {
  if (proposal.tool !== "capability-block" || diff === "") return []
  return ["against today's Dockerfile", ...diffLines(diff), ""]
}

function addLines(adds: string | undefined, cannot: string | undefined): string[] {
  const lines = adds === undefined ? [] : ["approving adds", ...wrapText(`  + ${adds}`, 4)]
  return cannot === undefined ? lines : [...lines, ...wrapText(`cannot be approved as it is: ${cannot}`, 2)]
}

/** A shape beside the colour. */
export const findingMarks: Readonly<Record<Finding["weight"], string>> = { danger: "!!", caution: " !", note: "  " }

/** The worst first. */
export function byWeight(findings: readonly Finding[]): Finding[] {
  const heavy = ["danger", "caution", "note"] as const
  return findings.toSorted((a, b) => heavy.indexOf(a.weight) - heavy.indexOf(b.weight))
}

function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ["blast radius: nothing new"]
  return [
    "blast radius",
    ...byWeight(findings).flatMap(({ weight, text }) => wrapText(`  ${findingMarks[weight]} ${text}`, 5)),
  ]
}

function refusalLines(refusals: Refusals): string[] {
  const words = refusalWords(refusals)
  return words === undefined ? [] : wrapText(words, 2)
}

/** How often the bottle was refused there, made safe; undefined: never. */
export function refusalWords({ host, count, last }: Refusals): string | undefined {
  if (count === 0 || last === undefined) return undefined
  const what = [last.method, last.path].filter(Boolean).join(" ")
  const times = count === 1 ? "once" : `${count} times`
  return safeText(`refused there ${times}; last ${last.time}${what === "" ? "" : `: ${what}`} (${host})`)
}

function saveLines({ save }: ProposalView): string[] {
  if (save === undefined) return []
  if ("cannot" in save) return ["", ...wrapText(`it cannot be saved: ${save.cannot} (${save.hint})`, 2)]
  return ["", "--save writes", ...diffLines(save.diff)]
}

/** A diff, safe and cut with a count. */
export function diffLines(diff: string): string[] {
  if (diff === "") return []
  const lines = diff
    .trimEnd()
    .split("\n")
    .map((line) => `  ${safeText(line, 400)}`)
  const left = lines.length - mostDiffLines
  return left > 0 ? [...lines.slice(0, mostDiffLines), `  … and ${left} more lines`] : lines
}

export function scopeWords(scope: Scope, until?: string): string {
  switch (scope.kind) {
    case "once":
      return "for one request"
    case "for":
      return until === undefined ? `for ${scope.seconds} seconds` : `until ${until}`
    case "save":
      return "for this session and in the bottle's file"
    case "session":
      return "until this bottle ends"
  }
}

/** What became of a decision, in the words for stderr; `done` says exactly what was applied. */
export function outcomeLines(outcome: Outcome, what: string, slug: string): string[] {
  switch (outcome.kind) {
    case "done": {
      const { status, seq, applied } = outcome
      const scope =
        applied.scope === undefined || applied.diff === "" ? "" : ` ${scopeWords(applied.scope, applied.until)}`
      const where = applied.resume === undefined ? `in force in ${slug}${scope}` : resumeWords(status, slug)
      const lines = [`${what}: ${status}${applied.diff === "" ? "" : `, ${where}`}`]
      if (applied.resume !== undefined) lines.push(`  next: ${applied.resume}`)
      if (applied.saved !== undefined) lines.push(`  file: ${applied.saved}`)
      lines.push(...applied.warnings.map((warning) => `  note: ${warning}`))
      const undo = status === "approved" || status === "modified" || status === "edited"
      if (undo && applied.diff !== "") lines.push(`  take it back: bottle undo ${seq} ${slug}`)
      return lines
    }
    case "stale":
      return [`${what}: what was shown is not what is in force any more; nothing was done`, "  look again, then decide"]
    case "taken":
      return [`${what}: already ${outcome.status} by ${outcome.by} at ${outcome.at}; nothing was done`]
    case "unchanged":
      return [`unchanged: ${what} of ${slug}`]
    case "unknown":
      return [`${what}: there is no such proposal any more`]
    case "refused":
    case "failed":
      return [
        `${what}: ${outcome.kind === "failed" ? "not in force, and still open" : "not done"}: ${outcome.why}`,
        ...(outcome.hint === undefined ? [] : [`  hint: ${outcome.hint}`]),
      ]
  }
}

/** The image of a bottle changes with its next launch. */
function resumeWords(status: string, slug: string): string {
  return status === "undone" ? `from the next launch of ${slug} on` : `${slug} has stopped; its resume builds the image`
}

function indented(text: string, most: number): string[] {
  return safeText(text.trimEnd(), most, { lines: true })
    .split("\n")
    .map((line) => `  ${line}`)
}
