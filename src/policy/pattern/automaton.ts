import type { Bad } from "../host.ts"
import { type PatternNode, parsePattern } from "./parse.ts"

type SetNode = Extract<PatternNode, { kind: "set" }>
type State = { set: SetNode; next: number } | { split: readonly number[] } | "accept"

/** A set of states after some text, with the steps taken from it so far. */
interface Position {
  states: readonly number[]
  accepts: boolean
  /** By ASCII code. */
  steps: (Position | undefined)[]
}

/** Whether the whole text matches. Linear in the text's length, whatever the pattern. */
export type Matcher = (text: string) => boolean

const maxStates = 500
const maxText = 2048
/** Positions remembered per pattern before memory is given back. */
const maxPositions = 64

/**
 * Compiles a path pattern to an automaton. JavaScript's own engine backtracks and cannot be interrupted, so one rule
 * and a hostile path could stop the sidecar; this one takes at most `500 × 2048` steps (SECURITY 12's time budget).
 * A longer text does not match. The matcher remembers positions it has met, up to a bound.
 */
export function compilePattern(source: string): { kind: "matcher"; matches: Matcher } | Bad {
  const parsed = parsePattern(source)
  if (parsed.kind === "bad") return parsed
  if (countStates(parsed.node) > maxStates)
    return { kind: "bad", why: "the pattern is too large once its counts expand" }
  const states: State[] = ["accept"]
  const start = build(parsed.node, 0, states)
  return { kind: "matcher", matches: makeMatcher(states, start) }
}

function countStates(node: PatternNode): number {
  switch (node.kind) {
    case "set":
      return 1
    case "repeat": {
      const copies = Number.isFinite(node.max) ? node.max : node.min + 1
      return copies * (countStates(node.item) + 1)
    }
    default:
      return node.items.reduce((sum, item) => sum + countStates(item), 1)
  }
}

/** Adds the states for `node` followed by state `next`; returns the first of them. */
function build(node: PatternNode, next: number, states: State[]): number {
  switch (node.kind) {
    case "set":
      return states.push({ set: node, next }) - 1
    case "sequence":
      return node.items.reduceRight((after, item) => build(item, after, states), next)
    case "choice":
      return states.push({ split: node.items.map((item) => build(item, next, states)) }) - 1
    case "repeat":
      return buildRepeat(node, next, states)
  }
}

function buildRepeat(node: Extract<PatternNode, { kind: "repeat" }>, next: number, states: State[]): number {
  let after = next
  if (node.max === Number.POSITIVE_INFINITY) {
    after = states.push({ split: [next] }) - 1
    states[after] = { split: [build(node.item, after, states), next] }
  } else {
    for (let i = node.min; i < node.max; i++)
      after = states.push({ split: [build(node.item, after, states), next] }) - 1
  }
  for (let i = 0; i < node.min; i++) after = build(node.item, after, states)
  return after
}

function makeMatcher(states: readonly State[], start: number): Matcher {
  const known = new Map<string, Position>()

  function intern(roots: readonly number[]): Position {
    const reached = close(states, roots)
    const key = reached.join()
    const found = known.get(key)
    if (found !== undefined) return found
    const position: Position = { states: reached, accepts: reached.includes(0), steps: [] }
    known.set(key, position)
    return position
  }

  function step(from: Position, code: number): Position {
    const roots: number[] = []
    for (const id of from.states) {
      const state = states[id]
      if (typeof state === "object" && "set" in state && contains(state.set, code)) roots.push(state.next)
    }
    const to = intern(roots)
    if (code < 128) from.steps[code] = to
    return to
  }

  let first = intern([start])
  return (text) => {
    if (text.length > maxText) return false
    if (known.size > maxPositions) {
      known.clear()
      first = intern([start])
    }
    let position = first
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      position = position.steps[code] ?? step(position, code)
      if (position.states.length === 0) return false
    }
    return position.accepts
  }
}

/** All states reached from `roots` without reading, in order; splits themselves are left out. */
function close(states: readonly State[], roots: readonly number[]): readonly number[] {
  const seen = new Set<number>()
  const open = [...roots]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    const state = states[id]
    if (typeof state === "object" && "split" in state) open.push(...state.split)
  }
  return [...seen].filter((id) => isReading(states[id])).sort((a, b) => a - b)
}

function isReading(state: State | undefined): boolean {
  return state === "accept" || (typeof state === "object" && "set" in state)
}

function contains(set: SetNode, code: number): boolean {
  for (const [low, high] of set.ranges) if (code >= low && code <= high) return !set.negated
  return set.negated
}
