/** What a bench is, and what it hands back: read by `run.ts`, which chooses, bounds and prints. */

export interface BenchContext {
  /** Fewer and shorter rounds: for a look, not for a claim. */
  quick: boolean
  /** A directory of this run's own, removed at its end. */
  scratch: string
  /** Path of `bottle`, compiled from this checkout in this run. */
  binary(): Promise<string>
  /** Tell the person who waits what is being done. */
  say(text: string): void
  /** Run at the end of the bench, also when it fails; last added, first run. */
  defer(undo: () => void | Promise<void>): void
}

/** One comparison. `value` is ours over theirs, or a measured amount where the aim is one. */
export interface Finding {
  /** What was compared with what, as a sentence without a verb: "requests a second, egress over squid". */
  what: string
  value: number
  unit: "x" | "ms" | "MB" | "MB/s" | "µs"
  /** What it should be, from the issue or our own; absent where there is no aim. */
  aim?: { atMost: number } | { atLeast: number }
}

export interface Table {
  title: string
  columns: readonly string[]
  rows: readonly (readonly [name: string, ...cells: (number | string)[]])[]
}

export interface Report {
  /** How it was measured: what against what, how often, and what limits it. */
  method: string
  findings: readonly Finding[]
  /** The medians behind the findings. */
  tables: readonly Table[]
  /** What was not measured, and why; and what a reader should know. */
  notes: readonly string[]
}

export interface Bench {
  name: string
  /** One line for the list of benches. */
  summary: string
  run(context: BenchContext): Promise<Report>
}
