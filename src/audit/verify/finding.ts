/**
 * What checking a log found. `tampering` is never what a crash leaves; `crash` is, and what nobody was told of is all
 * that it can have cost.
 */
export interface Finding {
  severity: "tampering" | "crash"
  kind:
    | "changed"
    | "removed"
    | "reordered"
    | "added"
    | "cut-tail"
    | "missing-log"
    | "missing-head"
    | "foreign-key"
    | "broken-head"
    | "set-aside"
    | "rolled-back"
    | "torn"
    | "unheaded"
  /** The number of the line in its file, from 1, where there is one. */
  line?: number
  /** One line for a person. Holds nothing of the log's own text. */
  text: string
}

/** What was checked: the log of a bottle, or `head` for the head that all share. */
export interface LogReport {
  slug: string
  entries: number
  /** `hash` of the last good line, "" for none: keep it elsewhere to know this state again. */
  last: string
  findings: Finding[]
}

export const tampered = (report: LogReport): boolean => report.findings.some(({ severity }) => severity === "tampering")

/** Findings of one log are counted but no longer listed after so many. */
export const mostFindings = 100
