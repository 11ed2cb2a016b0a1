import { describe, expect, test } from "bun:test"
import { compilePattern } from "../../../src/policy/pattern/automaton.ts"
import { hostilePaths, hostilePatterns } from "../../support/hostile-input.ts"

function matcher(source: string): (text: string) => boolean {
  const pattern = compilePattern(source)
  if (pattern.kind === "bad") throw new Error(`${source}: ${pattern.why}`)
  return pattern.matches
}

describe("a path pattern", () => {
  test("has to match the whole path", () => {
    const matches = matcher("/repos/[^/]+/issues")
    expect(matches("/repos/x/issues")).toBe(true)
    expect(matches("/repos/x/issues/1")).toBe(false)
    expect(matches("/a/repos/x/issues")).toBe(false)
    expect(matches("/repos/x/y/issues")).toBe(false)
  })

  test("is anchored on both sides of every alternative", () => {
    const matches = matcher("^/a|/b$")
    expect(matches("/a")).toBe(true)
    expect(matches("/b")).toBe(true)
    expect(matches("/axx")).toBe(false)
    expect(matches("xx/b")).toBe(false)
  })

  test.each([
    ["(a)\\1", "backreferences"],
    ["(?<n>a)\\k<n>", "groups are supported"],
    ["(?=a)", "lookaround"],
    ["(?!a)b", "lookaround"],
    ["(?<=a)b", "lookaround"],
    ["(?<!a)b", "lookaround"],
    ["(?i)a", "groups are supported"],
    ["\\bfoo", "word boundaries"],
    ["a^b", "edge"],
    ["a$b", "edge"],
    ["*a", "nothing to repeat"],
    ["a**", "follows a quantifier"],
    ["(a", "without its )"],
    ["a)", "without its ("],
    ["[a", "without its ]"],
    ["[]", "empty"],
    ["[z-a]", "out of order"],
    ["a{2,1}", "out of order"],
    ["a{9999}", "over 200"],
    ["(a{100}){100}", "too large"],
    ["((((a{9}){9}){9}){9}){9}", "too large"],
    ["a\\", "ends in a backslash"],
    ["\\p{L}", "not supported"],
    ["\\x41", "not supported"],
    ["a]", "must be written"],
    ["[[a]]", "must be written"],
    ["a".repeat(513), "longer than"],
    ["(".repeat(20) + ")".repeat(20), "nested too deeply"],
  ])("%j is refused: %s", (source, why) => {
    const pattern = compilePattern(source)
    expect(pattern.kind).toBe("bad")
    expect(pattern.kind === "bad" && pattern.why).toContain(why)
  })

  test.each(hostilePatterns)("%s ends on a hostile path, however it is repeated", (source) => {
    const matches = matcher(source)
    // 10 ms for the worst (`npm run bench -- hostile`); with a backtracking engine this test would not end.
    for (const path of hostilePaths) expect(matches(path)).toBeBoolean()
  })

  test("never matches a path longer than its bound", () => {
    expect(matcher(".*")("a".repeat(2048))).toBe(true)
    expect(matcher(".*")("a".repeat(2049))).toBe(false)
  })

  test("gives memory back and still matches", () => {
    const matches = matcher("(a|b)*a(a|b){8}")
    for (let i = 0; i < 2000; i++) {
      const text = i.toString(2).replaceAll("0", "a").replaceAll("1", "b")
      expect(matches(text)).toBe(/^(a|b)*a(a|b){8}$/.test(text))
    }
  })

  test("agrees with JavaScript's own engine on random patterns and texts", () => {
    let seed = 3
    const next = (bound: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return Math.floor((seed / 2147483648) * bound)
    }
    const pick = (items: readonly string[]) => items[next(items.length)] ?? ""
    const atoms = [
      "a",
      "b",
      "/",
      ".",
      "\\d",
      "\\w",
      "[ab]",
      "[^/]",
      "[^a-b]",
      "[\\d/]",
      "\\.",
      "[a-]",
      "\\D",
      "\\s",
      "1",
      "[.]",
      "é",
    ]
    const quantifiers = ["", "", "", "*", "+", "?", "{2}", "{1,}", "{0,2}", "{0}", "*?", "+?"]
    const generate = (depth: number): string => {
      const length = next(4)
      let out = ""
      for (let i = 0; i <= length; i++) {
        const atom = depth > 0 && next(3) === 0 ? `${pick(["(", "(?:"])}${generate(depth - 1)})` : pick(atoms)
        out += atom + pick(quantifiers)
      }
      return next(4) === 0 ? `${out}|${depth > 0 ? generate(depth - 1) : ""}` : out
    }
    let matched = 0
    for (let i = 0; i < 3000; i++) {
      const source = generate(2)
      const matches = matcher(pick(["", "^"]) + source + pick(["", "$"]))
      const reference = new RegExp(`^(?:${source})$`)
      for (let j = 0; j < 15; j++) {
        const text = Array.from({ length: next(7) }, () => pick(["a", "b", "/", "1", ".", "é", " ", "-"])).join("")
        const expected = reference.test(text)
        if (expected) matched++
        if (matches(text) !== expected) throw new Error(`${source} on ${JSON.stringify(text)}: expected ${expected}`)
      }
    }
    expect(matched).toBeGreaterThan(3000)
  })
})
