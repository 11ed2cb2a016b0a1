import { unifiedDiff } from "../../lib/unified-diff.ts"
import { byWeight, findingMarks, payloadNames, refusalWords } from "../proposal-lines.ts"
import { safeText } from "../safe-text.ts"
import { foldText } from "./fold.ts"
import type { Shown } from "./model.ts"

export type Style = "plain" | "head" | "add" | "danger" | "caution" | "faint" | "gone"

export interface Line {
  text: string
  style: Style
}

/** A proposal as a page of any length. */
export interface Page {
  lines: readonly Line[]
  /** Lines from the start that must have been on the screen before it can be approved. */
  must: number
}

/** Longest foreign text, in characters; what is left out is counted. */
const mostText = 8_000

/**
 * Everything there is to know before deciding (BEHAVIOUR 10), what matters most first: the line that approval adds and
 * what it opens stand before the agent's own words, which can be as long as it likes.
 */
export function proposalPage({ view, text }: Shown, columns: number): Page {
  const { proposal, adds, cannot, already, typeHost, findings, refusals, path, diff, save } = view
  const lines: Line[] = []
  const put = (style: Style, words: string, indent = 2) => {
    for (const folded of foldText(words, columns, indent)) lines.push({ text: folded, style })
  }
  const head = (words: string) => {
    if (lines.length > 0) lines.push({ text: "", style: "plain" })
    put("head", words, 0)
  }
  const foreign = (body: string, style: Style = "plain") => {
    for (const line of safeText(body.trimEnd(), mostText, { lines: true }).split("\n")) put(style, `  ${line}`)
  }
  const changes = (body: string) => {
    for (const line of body.trimEnd().split("\n")) put(diffStyle(line), `  ${safeText(line, 400)}`, 4)
  }

  if (text !== undefined) {
    head("your text, in place of the agent's")
    changes(unifiedDiff(payloadNames[proposal.tool], proposal.proposed_file, text))
  } else {
    if (already) head("approving adds nothing: all of it is permitted already")
    else if (adds !== undefined) {
      head("approving adds")
      put("add", `  + ${safeText(adds, mostText)}`, 4)
    }
    if (cannot !== undefined) put("danger", `  cannot be approved as it is: ${safeText(cannot)}`, 4)
    if (typeHost !== undefined)
      put("danger", "  !! a credential would newly go there: you will be asked to type the host", 5)
    if (findings.length === 0) head("blast radius: nothing new")
    else {
      head("blast radius")
      for (const { weight, text: words } of byWeight(findings)) {
        put(weight === "note" ? "plain" : weight, `  ${findingMarks[weight]} ${safeText(words)}`, 5)
      }
    }
  }
  if (save !== undefined) {
    if ("cannot" in save) head(`it cannot be saved: ${safeText(save.cannot)} (${safeText(save.hint)})`)
    else {
      head(`saving writes ${safeText(save.path)}`)
      changes(save.diff)
    }
  }
  const must = lines.length
  head("reason (the agent's words)")
  foreign(proposal.justification)
  head(payloadNames[proposal.tool])
  foreign(proposal.proposed_file)
  if (diff !== "") {
    head("what changes in force")
    changes(diff)
  }
  head("about")
  put("plain", `  ${proposal.id} (${proposal.tool}), arrived ${safeText(proposal.arrival_timestamp, 30)}`)
  const refused = refusalWords(refusals)
  if (refused !== undefined) put("plain", `  ${refused}`)
  put("faint", `  ${safeText(path)}`)
  return { lines, must }
}

function diffStyle(line: string): Style {
  if (/^(?:\+\+\+|---|@@)/.test(line)) return "faint"
  if (line.startsWith("+")) return "add"
  return line.startsWith("-") ? "gone" : "plain"
}
