import { escapeJson } from "../../ui/safe-text.ts"
import type { ReadEntry } from "../read-entry.ts"
import { cefLine } from "./cef.ts"
import { csvHeader, csvLine } from "./csv.ts"
import { ocsfLine } from "./ocsf.ts"

export interface Exporter {
  /** A first line; undefined: none. */
  header: string | undefined
  /** One line an entry, without its line feed. */
  line(read: ReadEntry): string
}

/** How entries leave for another program. `jsonl` is the log itself, which `verify` in another place still takes. */
export function exporter(format: "jsonl" | "csv" | "cef" | "ocsf"): Exporter {
  switch (format) {
    case "jsonl":
      // Nothing is changed in a line of ours; one that somebody put there may hold anything.
      return { header: undefined, line: ({ text }) => escapeJson(text) }
    case "csv":
      return { header: csvHeader, line: ({ entry }) => csvLine(entry) }
    case "cef":
      return { header: undefined, line: ({ entry }) => cefLine(entry) }
    case "ocsf":
      return { header: undefined, line: ({ entry }) => ocsfLine(entry) }
  }
}
