import { fenceProofHost } from "../../../../sidecars/guest/protocol.ts"
import { safeText } from "../../../ui/safe-text.ts"

/** Hosts and reasons that are counted on their own: the agent chooses the hosts, and may try a million. */
const mostCounted = 1_000
/** How many of them an entry names, the most refused first. */
const mostNamed = 20
const longestHost = 80

interface Counted {
  gate: string
  reason: string
  host: string
  count: number
}

/** How often what was refused, since a bottle's first launch; the refusals of the fence proof do not count. */
export class RefusalCounts {
  readonly #counted = new Map<string, Counted>()
  #total = 0
  #others = 0

  get total(): number {
    return this.#total
  }

  /** Count an event, if it is a refusal; returns whether it was. */
  add(event: Readonly<Record<string, unknown>>): boolean {
    if (event.kind !== "refused" || event.host === fenceProofHost) return false
    this.#total += 1
    const [gate, reason, host] = [event.gate, event.reason, event.host].map(word)
    const key = JSON.stringify([gate, reason, host])
    const known = this.#counted.get(key)
    if (known !== undefined) known.count += 1
    else if (this.#counted.size >= mostCounted) this.#others += 1
    else this.#counted.set(key, { gate: gate ?? "", reason: reason ?? "", host: host ?? "", count: 1 })
    return true
  }

  /** Count a line of the egress log. */
  addLine(line: string): void {
    if (!line.includes('"refused"')) return
    try {
      this.add(JSON.parse(line) as Record<string, unknown>)
    } catch {
      // The last line of a keeper that was killed while it wrote.
      this.#total += 1
      this.#others += 1
    }
  }

  /** What an audit entry says of them: totals, so that one that was lost with a keeper misleads nobody. */
  detail(): Record<string, string | number> {
    const sorted = [...this.#counted.values()].sort((a, b) => b.count - a.count)
    const named = sorted.slice(0, mostNamed)
    const others = sorted.slice(mostNamed).reduce((sum, { count }) => sum + count, this.#others)
    return { total: this.#total, refusals: JSON.stringify(named), other: others }
  }
}

function word(value: unknown): string {
  return typeof value === "string" ? safeText(value, longestHost) : ""
}
