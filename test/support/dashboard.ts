import type { ActiveBottle } from "../../src/bottle/registry.ts"
import type { Proposal } from "../../src/proposals/types.ts"
import { firstState, reduce } from "../../src/ui/dashboard/state/reduce.ts"
import type { Effect, Event, Key, Size, State } from "../../src/ui/dashboard/state/types.ts"
import { view } from "../../src/ui/dashboard/view/view.ts"

/** A dashboard without a terminal: keys and news go in, text and wishes come out. */
export interface Bench {
  state: State
  /** What the clock on the wall says. */
  now: Date
  effects: Effect[]
  at: number
  send(event: Event): Bench
  /** By name, such as `j`, `return`, `tab`. */
  keys(...names: string[]): Bench
  type(text: string): Bench
  /** The screen as text. */
  screen(): string
}

const noon = "2026-11-21T12:00:00.000Z"

export function benchDashboard(size: Size = { cols: 80, rows: 24 }): Bench {
  const bench: Bench = {
    state: firstState(size),
    now: new Date(noon),
    effects: [],
    at: 0,
    send(event) {
      const { state, effects } = reduce(bench.state, event)
      bench.state = state
      bench.effects.push(...effects)
      return bench
    },
    keys(...names) {
      for (const name of names) bench.send({ kind: "key", key: keyOf(name), at: bench.at })
      return bench
    },
    type: (text) => bench.keys(...text),
    screen: () =>
      view(bench.state, bench.now)
        .map((row) => row.map(({ text }) => text).join(""))
        .join("\n"),
  }
  return bench
}

function keyOf(name: string): Key {
  if (name === " ") return { name: "space", text: " " }
  return { name, text: [...name].length === 1 ? name : "" }
}

export function proposal(id: string, more: Partial<Proposal> = {}): Proposal {
  return {
    schemaVersion: 1,
    id,
    bottle_slug: "one-aaaaa",
    tool: "egress-block",
    proposed_file: `host: ${id}.example.com\n`,
    justification: "I need it",
    arrival_timestamp: noon,
    current_file_hash: "0".repeat(64),
    ...more,
  }
}

export function agent(slug: string, more: Partial<ActiveBottle> = {}): ActiveBottle {
  return {
    slug,
    state: "running",
    degraded: false,
    agent: "claude",
    bottles: ["dev"],
    backend: "namespace",
    provider: "claude",
    label: slug,
    color: null,
    startedAt: noon,
    sidecars: [{ name: "egress", state: "up", restarts: 0 }],
    refused: 0,
    reasons: [],
    ...more,
  }
}
