import type { Settled } from "./keeper/protocol.ts"

/** What is known about a bottle when its session is over. */
export interface EndFacts {
  /**
   * `exit`: the agent ended by itself. `stop`: the operator's word, a clean end. `cut`: something else ended it, such
   * as a limit, and `why` says what.
   */
  how: "exit" | "stop" | "cut"
  /** Of an `exit`. */
  exitCode: number
  why?: string
  /** What a `.preserve` marker gives as its reason; undefined: there is none. */
  preserved: string | undefined
  /** The workspace differs from what it was at launch and when all was pulled; undefined: could not be told. */
  work: boolean | undefined
  refused: number
  /** Proposals that nobody has answered. */
  proposals: number
  /** `--discard`. */
  discard: boolean
  /** A program holds its slug, and destroys it. */
  keep: boolean
}

/**
 * Whether a bottle's state stays (BEHAVIOUR 3, SECURITY 26): a clean end with nothing to lose removes it, whatever
 * is in doubt keeps it.
 */
export function settleReasons(facts: EndFacts): string[] {
  if (facts.discard) return []
  const reasons: string[] = []
  if (facts.preserved !== undefined) reasons.push(facts.preserved || "marked to be preserved")
  if (facts.keep) reasons.push("kept for the program that started it")
  if (facts.how === "exit" && facts.exitCode !== 0) reasons.push(`the agent exited with ${facts.exitCode}`)
  if (facts.how === "cut") reasons.push(facts.why ?? "it was cut short")
  if (facts.work === true) reasons.push("the workspace holds work")
  if (facts.work === undefined) reasons.push("the workspace could not be examined")
  if (facts.proposals > 0) reasons.push(`${facts.proposals} proposal${facts.proposals === 1 ? " is" : "s are"} open`)
  if (facts.refused > 0) reasons.push(`${facts.refused} request${facts.refused === 1 ? " was" : "s were"} refused`)
  return reasons
}

/** What `settled` says to a person, last line first to do. */
export function settledLines(slug: string, settled: Settled): string[] {
  const lines = settled.warnings.map((warning) => `warning: ${warning}`)
  if (!settled.kept) return [...lines, `${slug}: ended, nothing left behind (logs: bottle logs ${slug})`]
  return [
    ...lines,
    `${slug}: ended, state kept: ${settled.reasons.join("; ")}`,
    ...(settled.reasons.some((reason) => reason.includes("the workspace"))
      ? [`  look:   bottle diff ${slug}`, `  take:   bottle pull ${slug}`]
      : []),
    `  go on:  bottle resume ${slug}`,
    `  drop:   bottle destroy ${slug}`,
  ]
}
