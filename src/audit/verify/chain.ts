import { noHash, type OpenedLine, openLine } from "../line.ts"
import type { RawLine } from "../read-lines.ts"
import type { Finding } from "./finding.ts"

/** A line that is one, by its shape and by its own hash. */
export interface ChainLink {
  line: number
  seq: number
  prev: string
  opened: OpenedLine
}

/** A line as far as it can be judged alone. */
export type Judged = { kind: "link"; link: ChainLink } | { kind: "bad"; finding: Finding }

/** Judge a line without its neighbours: is it as it was written? `seqKey` names its number. */
export function judgeLine({ kind, bytes }: RawLine, line: number, seqKey: "seq" | "head_seq"): Judged {
  const changed = (text: string): Judged => ({
    kind: "bad",
    finding: { severity: "tampering", kind: "changed", line, text },
  })
  if (kind === "endless") return changed(`line ${line} is longer than any line of ours; nothing after it was read`)
  const opened = openLine(bytes)
  if (opened === undefined) return changed(`line ${line} was changed: it is no audit line`)
  if (!opened.intact) return changed(`line ${line} was changed: its hash is another`)
  const { [seqKey]: seq, prev_hash: prev } = opened.content
  if (typeof seq !== "number" || typeof prev !== "string") return changed(`line ${line} was changed: it has no number`)
  return { kind: "link", link: { line, seq, prev, opened } }
}

/** Judge what stands behind a file's last line feed: a killed writer leaves the beginning of a line, and no more. */
export function judgeTorn(bytes: Buffer): Finding {
  if (openLine(bytes.subarray(0, -1))?.intact) {
    return { severity: "tampering", kind: "changed", text: "the line feed behind the last line was changed" }
  }
  const text = `${bytes.length} bytes of a line that a killed keeper did not finish; nobody was told of it`
  return { severity: "crash", kind: "torn", text }
}

/** Follows a chain from line to line and says where it does not hold. */
export class ChainFollower {
  #seq = 0
  #hash: string | undefined = noHash
  #highest = 0

  get seq(): number {
    return this.#seq
  }

  /** `hash` of the line before; undefined when that line is not as it was. */
  get hash(): string | undefined {
    return this.#hash
  }

  /** A line that cannot be judged stands here: what follows cannot be joined to it. */
  skip(): void {
    this.#seq += 1
    this.#hash = undefined
  }

  follow({ line, seq, prev, opened }: ChainLink): Finding | undefined {
    const expected = this.#seq + 1
    const before = this.#hash
    const highest = this.#highest
    this.#seq = seq
    this.#hash = opened.hash
    this.#highest = Math.max(highest, seq)
    const finding = (kind: Finding["kind"], text: string): Finding => ({ severity: "tampering", kind, line, text })
    if (seq > expected) {
      const missing = seq === expected + 1 ? `entry ${expected} is` : `entries ${expected} to ${seq - 1} are`
      return finding("removed", `${missing} missing before line ${line}`)
    }
    if (seq < expected) {
      const text = seq < highest ? "comes after a later one" : "is there twice"
      return finding("reordered", `line ${line}: entry ${seq} ${text}`)
    }
    if (before !== undefined && prev !== before)
      return finding("changed", `line ${line - 1} or ${line} was replaced: they do not join`)
    return undefined
  }
}
