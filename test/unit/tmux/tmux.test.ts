import { describe, expect, test } from "bun:test"
import { badgeText } from "../../../src/tmux/badge.ts"
import { formatText, quoteConfig, quoteShell, tmuxArguments } from "../../../src/tmux/escape.ts"
import { withBlock, withoutBlock } from "../../../src/tmux/install.ts"
import { readOptions } from "../../../src/tmux/options.ts"
import { fillPlaceholder } from "../../../src/tmux/placeholder.ts"
import { chooseSurface } from "../../../src/tmux/surface.ts"
import { readAbilities } from "../../../src/tmux/version.ts"

describe("words for tmux", () => {
  test("a word that ends in a semicolon does not end the command", () => {
    const commands = [
      ["set", "@x", "a;"],
      ["set", "@y", ";"],
    ]
    expect(tmuxArguments(commands)).toEqual(["set", "@x", "a\\;", ";", "set", "@y", "\\;"])
  })

  test("text for a format runs nothing, styles nothing and hides nothing", () => {
    expect(formatText("#(touch x) #[hidden] #{E:@y}")).toBe("##(touch x) ##[hidden] ##{E:@y}")
    expect(formatText("a\u001b]52;c;aGk=\u0007b")).not.toContain("\u001b")
    expect(formatText("x".repeat(50), 10)).toMatch(/^x{10}…\(\+40\)$/)
  })

  test("quotes for a configuration and for a shell hold every character", () => {
    expect(quoteConfig(`a"b$c\\d`)).toBe(`"a\\"b\\$c\\\\d"`)
    expect(quoteShell("/a b/it's #(x)")).toBe(`'/a b/it'\\''s ##(x)'`)
  })
})

describe("versions", () => {
  const cases: [text: string, supported: boolean, title: boolean, float: boolean][] = [
    ["tmux 3.1c", false, false, false],
    ["tmux 3.1-rc", false, false, false],
    ["tmux 3.2a", true, false, false],
    ["tmux 3.3a", true, true, false],
    ["tmux 3.7", true, true, false],
    ["tmux 3.7a", true, true, true],
    ["tmux next-3.8", true, true, true],
    ["tmux 3.10", true, true, true],
    ["tmux master", true, true, true],
    ["tmux openbsd-7.6", true, true, true],
    ["", true, true, true],
  ]
  for (const [text, supported, title, float] of cases) {
    test(`"${text}"`, () => {
      expect(readAbilities(text)).toMatchObject({ supported, popupTitle: title, floatingPanes: float })
    })
  }

  test("floating panes where they are, else a popup, and a wish that cannot be met is said", () => {
    const [old, recent] = [readAbilities("tmux 3.3a"), readAbilities("tmux 3.7b")]
    expect(chooseSurface("auto", old)).toEqual({ kind: "popup" })
    expect(chooseSurface("auto", recent)).toEqual({ kind: "float" })
    expect(chooseSurface("float", old)).toMatchObject({ kind: "popup", instead: expect.stringContaining("3.3a") })
    expect(chooseSurface("split", recent)).toEqual({ kind: "split" })
  })
})

describe("options", () => {
  test("have defaults", () => {
    const { options, problems } = readOptions("status on\n@other 1\n@bottle_bin /x")
    expect(problems).toEqual([])
    expect(options).toMatchObject({ key: "B", menuKey: undefined, surface: "auto", popupWidth: "90%" })
    expect([...options.notify]).toEqual(["bell"])
  })

  test("are read as tmux quotes them", () => {
    const { options, problems } = readOptions(
      `@bottle-key "\\""\n@bottle-menu-key M-b\n@bottle-notify "bell,popup"\n@bottle-popup-width 100\n@bottle-bin "/a b/bottle"`,
    )
    expect(problems).toEqual([])
    expect(options).toMatchObject({ key: '"', menuKey: "M-b", popupWidth: "100", bin: "/a b/bottle" })
    expect([...options.notify]).toEqual(["bell", "popup"])
  })

  test("that are bad or unknown are named, and stand at their default", () => {
    const { options, problems } = readOptions(
      `@bottle-surface fancy\n@bottle-key "#(id)"\n@bottle-popup-height 0\n@bottle-notify bell,shout\n@bottle-foo 1\n@bottle-bin bottle`,
    )
    expect(problems.map((line) => line.split(":")[0])).toEqual([
      "@bottle-surface",
      "@bottle-key",
      "@bottle-popup-height",
      "@bottle-notify",
      "@bottle-foo",
      "@bottle-bin",
    ])
    expect(options).toMatchObject({ surface: "auto", key: "B", popupHeight: "80%", bin: undefined })
  })
})

describe("the status line", () => {
  test("has the placeholder filled once", () => {
    expect(fillPlaceholder("#[fg=red]#{bottle_status} %H")).toBe("#[fg=red]#{@bottle_status} %H")
    expect(fillPlaceholder("#{@bottle_status} %H")).toBeUndefined()
  })

  test("says how many ask and how many are degraded, and nothing when all is well", () => {
    expect(badgeText({ pending: 0, degraded: 0 })).toBe("")
    expect(badgeText({ pending: 1, degraded: 0 })).toContain("bottle: 1 asks")
    expect(badgeText({ pending: 3, degraded: 2 })).toContain("bottle: 3 ask, 2 degraded")
  })
})

describe("the block in tmux.conf", () => {
  const own = "set -g mouse on # no newline at the end"
  test("is added once, replaced in place of an old one, and taken out without a trace", () => {
    const once = withBlock(own, "/usr/bin/bottle")
    expect(once.startsWith(`${own}\n# >>> bottle >>>\n`)).toBe(true)
    expect(withBlock(once, "/usr/bin/bottle")).toBe(once)
    expect(withBlock(once, "/opt/bottle").match(/>>> bottle/g)).toHaveLength(1)
    expect(withoutBlock(once)).toBe(`${own}\n`)
    expect(withoutBlock(own)).toBe(own)
  })

  test("with its end mark missing is left alone", () => {
    const broken = "# >>> bottle >>>\nset -g mouse on\n"
    expect(withoutBlock(broken)).toBe(broken)
  })
})
