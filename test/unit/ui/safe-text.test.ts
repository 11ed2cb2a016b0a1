import { describe, expect, test } from "bun:test"
import { safeText } from "../../../src/ui/safe-text.ts"

describe("text that is safe for a terminal", () => {
  test.each([
    ["plain text stays as it is", "bottles/dev.md: ok", "bottles/dev.md: ok"],
    ["letters of every script stay", "Grüße, 日本語, مرحبا", "Grüße, 日本語, مرحبا"],
    ["an escape sequence becomes visible", "\x1b[31mred\x1b]52;c;aGk=\x07", "␛[31mred␛]52;c;aGk=␇"],
    ["an eight-bit control introducer becomes visible", "\x9b31m\x9d0;t\x9c", "<U+009B>31m<U+009D>0;t<U+009C>"],
    ["newline, tab, carriage return and delete become visible", "a\nb\tc\rd\x7f", "a␊b␉c␍d␡"],
    ["NUL becomes visible", "a\0b", "a␀b"],
    ["a bidi override becomes visible", "safe\u202egpj.exe", "safe<U+202E>gpj.exe"],
    ["bidi isolates and marks become visible", "\u2066a\u2069\u200f\u061c", "<U+2066>a<U+2069><U+200F><U+061C>"],
    ["zero-width characters become visible", "pay\u200bpal\ufeff\u2060", "pay<U+200B>pal<U+FEFF><U+2060>"],
    ["soft hyphens and fillers become visible", "a\u00ad\u3164\u115f", "a<U+00AD><U+3164><U+115F>"],
    ["line and paragraph separators become visible", "a\u2028b\u2029c", "a<U+2028>b<U+2029>c"],
    ["unpaired surrogates become visible", "a\ud800b\udc00", "a<U+D800>b<U+DC00>"],
    ["tag characters become visible", "x\u{e0041}\u{e007f}", "x<U+E0041><U+E007F>"],
    ["variation selectors that carry bits become visible", "x\u{e0101}\ufe01", "x<U+E0101><U+FE01>"],
    ["an emoji keeps how it is drawn", "❤\ufe0f 😀\ufe0f", "❤\ufe0f 😀\ufe0f"],
    ["a run of selectors is not an emoji's", "❤\ufe0f\ufe0f", "❤\ufe0f<U+FE0F>"],
    ["noncharacters become visible", "\uffff\ufdd0", "<U+FFFF><U+FDD0>"],
  ])("%s", (_, given, shown) => {
    expect(safeText(given)).toBe(shown)
  })

  test("long text is cut, with the count of what was left out", () => {
    expect(safeText("a".repeat(123), 100)).toBe(`${"a".repeat(100)}…(+23)`)
    expect(safeText(`${"😀".repeat(8)}`, 5)).toBe("😀😀😀😀😀…(+3)")
    expect(safeText("abcde", 5)).toBe("abcde")
  })

  test("a mark is never cut in two", () => {
    expect(safeText("abc\u202edef", 6)).toBe("abc…(+4)")
  })

  test("marks stacked on one letter end after a few", () => {
    const shown = safeText(`a${"\u0301".repeat(9)}b`)
    expect(shown).toBe(`a${"\u0301".repeat(6)}${"<U+0301>".repeat(3)}b`)
  })

  test("newlines and tabs are kept when lines are asked for, a lone return never", () => {
    expect(safeText("a\nb\tc\r\nd\re\x1b", 100, { lines: true })).toBe("a\nb\tc\nd␍e␛")
  })

  test("no character of any kind comes through as a control, a format or a lone surrogate", () => {
    const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const shown = safeText(String.fromCodePoint(code))
      if (unsafe.test(shown)) throw new Error(`U+${code.toString(16)} came through`)
    }
  })

  test("what is safe already does not change again", () => {
    const once = safeText("\x1b[2J\u202e\u{e0041}x".repeat(20), 90)
    expect(safeText(once)).toBe(once)
  })

  test("ten megabytes are cut with a count", () => {
    expect(safeText("\x1b".repeat(10_000_000), 50)).toBe(`${"␛".repeat(50)}…(+9999950)`)
  })
})
