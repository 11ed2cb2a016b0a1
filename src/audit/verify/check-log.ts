import type { Head } from "../head-log.ts"
import type { AuditPublicKey } from "../key.ts"
import { openLine } from "../line.ts"
import { readRawLines } from "../read-lines.ts"
import { ChainFollower, type ChainLink, judgeLine, judgeTorn } from "./chain.ts"
import { checkSetAside } from "./check-set-aside.ts"
import { type Finding, type LogReport, mostFindings } from "./finding.ts"

export interface LogToCheck {
  slug: string
  path: string
  /** Bytes that count: what was there when the head was read. Undefined: there is no such file. */
  size: number | undefined
  /** What the head says of it; undefined: nothing. */
  head: Head | undefined
  key: AuditPublicKey | undefined
}

/** Check the log of one bottle against itself and against its head. Streams it. */
export function checkLog(log: LogToCheck): LogReport {
  return new LogCheck(log).run()
}

class LogCheck {
  readonly #log: LogToCheck
  readonly #head: Head
  readonly #chain = new ChainFollower()
  readonly #findings: Finding[] = []
  #lines = 0
  #last = ""
  #before: ChainLink | undefined
  /** Entries beyond the head: the first and the last, how many, and the first that is not ours. */
  readonly #beyond: { count: number; first?: ChainLink; last?: ChainLink; forged?: Finding | undefined } = { count: 0 }
  #reached = false
  #torn: Finding | undefined

  constructor(log: LogToCheck) {
    this.#log = log
    this.#head = log.head ?? { seq: 0, hash: "" }
    this.#reached = log.head === undefined
  }

  run(): LogReport {
    const { slug, path, size, head } = this.#log
    if (size === undefined) this.#find("missing-log", `the log is gone; the head knows ${count(head?.seq ?? 0)}`)
    else for (const raw of readRawLines(path, size)) this.#take(raw)
    if (size !== undefined) this.#judgeEnd()
    return { slug, entries: this.#lines, last: this.#last, findings: this.#findings }
  }

  #take(raw: Parameters<typeof judgeLine>[0]): void {
    if (raw.kind === "torn") {
      this.#torn = judgeTorn(raw.bytes)
      return
    }
    this.#lines += 1
    const judged = judgeLine(raw, this.#lines, "seq")
    if (judged.kind === "bad") {
      this.#add(judged.finding)
      this.#chain.skip()
      this.#before = undefined
      // It may be the one that the head names: that is said already.
      if (this.#chain.seq === this.#head.seq) this.#reached = true
      return
    }
    this.#join(judged.link)
    this.#compare(judged.link)
    this.#before = judged.link
    this.#last = judged.link.opened.hash
  }

  #join(link: ChainLink): void {
    const { slug, path } = this.#log
    const { bottle_slug: owner, detail, operator_action: action, component } = link.opened.content
    if (owner !== slug) this.#find("added", `line ${link.line} is of another bottle's log`, link.line)
    const finding = this.#chain.follow(link)
    if (finding !== undefined) this.#add(this.#forged(this.#before) ?? this.#forged(link) ?? finding)
    if (action !== "repair" || component !== "session") return
    const { torn_sha256: torn } = (detail ?? {}) as { torn_sha256?: unknown }
    if (typeof torn === "string") this.#add(checkSetAside(path, torn, link.line))
  }

  #compare(link: ChainLink): void {
    const { seq, opened, line } = link
    if (seq > this.#head.seq) this.#goBeyond(link)
    if (seq !== this.#head.seq || this.#reached) return
    this.#reached = true
    if (opened.hash === this.#head.hash) return
    const forged = this.#firstForged()
    if (forged === undefined) this.#find("changed", `line ${line} is not the entry that the head names`, line)
    else this.#find("changed", `line ${forged} was changed: this installation did not sign it`, forged)
  }

  #goBeyond(link: ChainLink): void {
    const beyond = this.#beyond
    beyond.count += 1
    beyond.first ??= link
    beyond.last = link
    if (beyond.count <= mostFindings) beyond.forged ??= this.#forged(link)
  }

  #judgeEnd(): void {
    if (!this.#reached && this.#chain.seq < this.#head.seq) {
      const from = this.#chain.seq + 1
      const which = from === this.#head.seq ? `entry ${from} was` : `entries ${from} to ${this.#head.seq} were`
      this.#find("cut-tail", `${which} cut off the end`)
    } else this.#add(this.#torn)
    this.#add(this.#judgeBeyond())
  }

  #judgeBeyond(): Finding | undefined {
    const { count: lines, first, last, forged } = this.#beyond
    if (first === undefined || last === undefined) return undefined
    if (forged !== undefined) return forged
    if (lines === 1 && (this.#log.head !== undefined || first.seq === 1)) {
      const text = `entry ${first.seq} is signed but not in the head yet: its keeper was killed, or is at it`
      return { severity: "crash", kind: "unheaded", line: first.line, text }
    }
    const text = `entries ${first.seq} to ${last.seq} are not in the head: its end was cut off`
    return { severity: "tampering", kind: "missing-head", text }
  }

  #forged(link: ChainLink | undefined): Finding | undefined {
    const { key } = this.#log
    if (link === undefined || key === undefined) return undefined
    if (key.verifies(link.opened.signed, link.opened.signature)) return undefined
    const text = `line ${link.line} was not written by this installation`
    return { severity: "tampering", kind: "added", line: link.line, text }
  }

  /** The first line whose signature is not ours. Slow, and only asked when something is wrong. */
  #firstForged(): number | undefined {
    const { key, path, size } = this.#log
    if (key === undefined) return undefined
    let line = 0
    for (const { bytes } of readRawLines(path, size ?? 0)) {
      line += 1
      const opened = openLine(bytes)
      if (opened === undefined || !key.verifies(opened.signed, opened.signature)) return line
    }
    return undefined
  }

  #find(kind: Finding["kind"], text: string, line?: number): void {
    this.#add({ severity: "tampering", kind, text, ...(line === undefined ? {} : { line }) })
  }

  #add(finding: Finding | undefined): void {
    if (finding !== undefined && this.#findings.length < mostFindings) this.#findings.push(finding)
  }
}

const count = (entries: number) => (entries === 1 ? "1 entry of it" : `${entries} entries of it`)
