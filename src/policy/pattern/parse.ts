import type { Bad } from "../host.ts"

/** A path pattern as a tree. Code units, inclusive ranges. */
export type PatternNode =
  | { kind: "set"; ranges: readonly (readonly [low: number, high: number])[]; negated: boolean }
  | { kind: "sequence"; items: readonly PatternNode[] }
  | { kind: "choice"; items: readonly PatternNode[] }
  | { kind: "repeat"; item: PatternNode; min: number; max: number }

const maxLength = 512
const maxDepth = 16
const maxCount = 200

const digits: readonly [number, number][] = [[48, 57]]
const words: readonly [number, number][] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]
const blanks: readonly [number, number][] = [
  [9, 13],
  [32, 32],
  [160, 160],
]

class Refusal extends Error {}

/**
 * Reads the part of the regular expression language that can be matched in linear time: literals, `.`, classes,
 * `\d \w \s`, groups, alternation and quantifiers. Backreferences, lookaround, word boundaries, flags and anchors other
 * than the outermost are refused with a reason. `^` at the start and `$` at the end are allowed and change nothing,
 * because a pattern always has to match the whole path.
 */
export function parsePattern(source: string): { kind: "pattern"; node: PatternNode } | Bad {
  if (source.length > maxLength) return { kind: "bad", why: `the pattern is longer than ${maxLength} characters` }
  const start = source.startsWith("^") ? 1 : 0
  const end = /(?:^|[^\\])(?:\\\\)*\$$/.test(source) ? source.length - 1 : source.length
  try {
    return { kind: "pattern", node: new Reader(source.slice(start, Math.max(start, end))).readAll() }
  } catch (error) {
    if (error instanceof Refusal) return { kind: "bad", why: error.message }
    throw error
  }
}

class Reader {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  readAll(): PatternNode {
    const node = this.readChoice(0)
    if (this.at < this.text.length) throw new Refusal("the pattern has a ) without its (")
    return node
  }

  private readChoice(depth: number): PatternNode {
    if (depth > maxDepth) throw new Refusal("the pattern's groups are nested too deeply")
    const items = [this.readSequence(depth)]
    while (this.text[this.at] === "|") {
      this.at++
      items.push(this.readSequence(depth))
    }
    const [only] = items
    return items.length === 1 && only !== undefined ? only : { kind: "choice", items }
  }

  private readSequence(depth: number): PatternNode {
    const items: PatternNode[] = []
    while (this.at < this.text.length && this.text[this.at] !== "|" && this.text[this.at] !== ")") {
      items.push(this.readQuantifier(this.readAtom(depth)))
    }
    return { kind: "sequence", items }
  }

  private readAtom(depth: number): PatternNode {
    const char = this.take()
    if (char === "(") return this.readGroup(depth)
    if (char === "[") return this.readClass()
    if (char === ".") return { kind: "set", ranges: [], negated: true }
    if (char === "\\") return this.readEscape()
    if (char === "^" || char === "$") throw new Refusal(`${char} may stand only at the pattern's edge`)
    if ("*+?{".includes(char)) throw new Refusal(`${char} has nothing to repeat`)
    if (char === "]" || char === "}") throw new Refusal(`${char} must be written \\${char}`)
    return literal(char)
  }

  private readGroup(depth: number): PatternNode {
    if (this.text[this.at] === "?") {
      if (/^\?<?[=!]/.test(this.text.slice(this.at, this.at + 3))) throw new Refusal("lookaround is not supported")
      if (!this.text.startsWith("?:", this.at)) throw new Refusal("only (…) and (?:…) groups are supported")
      this.at += 2
    }
    const node = this.readChoice(depth + 1)
    if (this.text[this.at] !== ")") throw new Refusal("the pattern has a ( without its )")
    this.at++
    return node
  }

  private readQuantifier(item: PatternNode): PatternNode {
    const match = /^(?:[*+?]|\{(\d{1,6})(,(\d{0,6}))?\})/.exec(this.text.slice(this.at, this.at + 16))
    if (match === null) return item
    this.at += match[0].length
    // Lazy or greedy makes no difference to whether the whole path matches.
    if (this.text[this.at] === "?") this.at++
    if (/^(?:[*+?]|\{)/.test(this.text.slice(this.at))) throw new Refusal("a quantifier follows a quantifier")
    if (match[0] === "*") return { kind: "repeat", item, min: 0, max: Number.POSITIVE_INFINITY }
    if (match[0] === "+") return { kind: "repeat", item, min: 1, max: Number.POSITIVE_INFINITY }
    if (match[0] === "?") return { kind: "repeat", item, min: 0, max: 1 }
    const min = Number(match[1])
    const max = match[2] === undefined ? min : match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY
    if (min > max) throw new Refusal(`the numbers of ${match[0]} are out of order`)
    if (min > maxCount || (Number.isFinite(max) && max > maxCount)) throw new Refusal(`${match[0]} is over ${maxCount}`)
    return { kind: "repeat", item, min, max }
  }

  private readEscape(): PatternNode {
    const char = this.take("the pattern ends in a backslash")
    if (/[1-9k]/.test(char)) throw new Refusal("backreferences are not supported")
    if (/[bB]/.test(char)) throw new Refusal("word boundaries are not supported")
    const shorthand = readShorthand(char)
    if (shorthand !== undefined) return { kind: "set", ...shorthand }
    if (/[0-9A-Za-z]/.test(char)) throw new Refusal(`\\${char} is not supported`)
    return literal(char)
  }

  private readClass(): PatternNode {
    const negated = this.text[this.at] === "^"
    if (negated) this.at++
    const ranges: (readonly [number, number])[] = []
    while (this.text[this.at] !== "]") {
      const low = this.readClassItem()
      if (typeof low !== "number") {
        ranges.push(...low)
      } else if (this.text[this.at] === "-" && this.text[this.at + 1] !== "]") {
        this.at++
        const high = this.readClassItem()
        if (typeof high !== "number" || high < low) throw new Refusal("a class has a range out of order")
        ranges.push([low, high])
      } else {
        ranges.push([low, low])
      }
    }
    this.at++
    if (ranges.length === 0) throw new Refusal("a class is empty")
    return { kind: "set", ranges, negated }
  }

  private readClassItem(): number | readonly (readonly [number, number])[] {
    const unclosed = "the pattern has a [ without its ]"
    const char = this.take(unclosed)
    if (/[\ud800-\udfff]/.test(char)) throw new Refusal("a class holds a character beyond U+FFFF")
    if (char === "[") throw new Refusal("[ in a class must be written \\[")
    if (char !== "\\") return char.charCodeAt(0)
    const escaped = this.take(unclosed)
    const shorthand = readShorthand(escaped)
    if (shorthand?.negated) throw new Refusal(`\\${escaped} in a class is not supported`)
    if (shorthand !== undefined) return shorthand.ranges
    if (/[0-9A-Za-z]/.test(escaped)) throw new Refusal(`\\${escaped} is not supported`)
    return escaped.charCodeAt(0)
  }

  private take(otherwise = "the pattern ends too early"): string {
    const char = this.text[this.at]
    if (char === undefined) throw new Refusal(otherwise)
    this.at++
    return char
  }
}

function readShorthand(char: string): { ranges: readonly (readonly [number, number])[]; negated: boolean } | undefined {
  const lower = char.toLowerCase()
  const ranges = lower === "d" ? digits : lower === "w" ? words : lower === "s" ? blanks : undefined
  return ranges === undefined ? undefined : { ranges, negated: char !== lower }
}

function literal(char: string): PatternNode {
  const code = char.charCodeAt(0)
  return { kind: "set", ranges: [[code, code]], negated: false }
}
