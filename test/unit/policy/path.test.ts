import { describe, expect, test } from "bun:test"
import { canonicalPath, foldSlashes, joinTarget } from "../../../src/policy/path.ts"

describe("a canonical path", () => {
  test.each([
    ["/", "/", ""],
    ["/a/b", "/a/b", ""],
    ["/a/b/", "/a/b/", ""],
    ["/a?x=1&y=../..//", "/a", "x=1&y=../..//"],
    ["/a?", "/a", ""],
    ["/a?b?c", "/a", "b?c"],
    ["/file%2etxt", "/file.txt", ""],
    ["/a%20b", "/a b", ""],
    ["/%7euser/~x", "/~user/~x", ""],
    ["/caf%C3%A9", "/café", ""],
    ["/%F0%9F%98%80", "/😀", ""],
    ["/@types%2fnode", "/@types%2Fnode", ""],
    ["/c%23/what%3F", "/c%23/what%3F", ""],
    ["/100%25", "/100%25", ""],
    ["/x/...", "/x/...", ""],
    ["/.well-known/x", "/.well-known/x", ""],
    ["/a..b/..c/d..", "/a..b/..c/d..", ""],
    ["/a;v=1/b", "/a;v=1/b", ""],
    ["/!azure/@v/v1.0.0+x.zip", "/!azure/@v/v1.0.0+x.zip", ""],
    ['/a|b{c}"<>^`[]', '/a|b{c}"<>^`[]', ""],
  ])("of %s is %s", (target, path, query) => {
    expect(canonicalPath(target)).toMatchObject({ kind: "path", path, query, wire: target })
  })

  test.each([
    ["", "slash"],
    ["*", "slash"],
    ["a/b", "slash"],
    ["http://evil.test/", "slash"],
    ["/a b", "space"],
    ["/a\tb", "control"],
    ["/a\0", "control"],
    ["/a\r\nX: y", "control"],
    ["/café", "raw byte"],
    ["/a?x= y", "space"],
    ["/a#b", "fragment"],
    ["//evil.test/a", "empty segment"],
    ["/a//b", "empty segment"],
    ["/a/%2F", "empty segment"],
    ["/%2f%2fetc", "empty segment"],
    ["/proxy/http://evil.test/", "empty segment"],
    ["/public/../secret", "dot segment"],
    ["/public/..", "dot segment"],
    ["/./a", "dot segment"],
    ["/public/%2e%2e/secret", "dot segment"],
    ["/public/.%2E/secret", "dot segment"],
    ["/public%2f..%2fsecret", "dot segment"],
    ["/public/..%2fsecret", "dot segment"],
    ["/public/..;/secret", "dot segment"],
    ["/public/..;x=1/secret", "dot segment"],
    ["/public/..%3b/secret", "dot segment"],
    ["/public/.;/secret", "dot segment"],
    ["/public/..%20/secret", "dot segment"],
    ["/public/%E2%80%A5/secret", "dot segment"],
    ["/public/%EF%BC%8E%EF%BC%8E/secret", "dot segment"],
    ["/public%EF%BC%8F..%EF%BC%8Fsecret", "empty segment"],
    ["/a\\b", "backslash"],
    ["/a%5cb", "backslash"],
    ["/a%EF%BC%BCb", "backslash"],
    ["/a%00", "control"],
    ["/a%0d%0ab", "control"],
    ["/a%7f", "control"],
    ["/a%C2%85", "control"],
    ["/a%E2%80%A8", "control"],
    ["/%252e%252e/secret", "twice"],
    ["/a%252fb", "twice"],
    ["/a%25%32%66b", "twice"],
    ["/a%255cb", "twice"],
    ["/a%2500", "twice"],
    ["/a%25252e", "twice"],
    ["/%", "broken"],
    ["/%2", "broken"],
    ["/%zz", "broken"],
    ["/%u002e%u002e", "broken"],
    ["/%c0%ae%c0%ae/secret", "UTF-8"],
    ["/%c0%af", "UTF-8"],
    ["/%ff", "UTF-8"],
    ["/%ed%a0%80", "UTF-8"],
    [`/${"a".repeat(8192)}`, "longer"],
  ])("is refused for %j: %s", (target, why) => {
    const result = canonicalPath(target)
    expect(result.kind).toBe("bad")
    expect(result.kind === "bad" && result.why).toContain(why)
  })

  test("is what new URL sends, byte for byte, for every target that is accepted", () => {
    const parts = [
      "/",
      "/",
      "a",
      "b1",
      ".",
      "..",
      "%2e",
      "%2F",
      "%41",
      "%25",
      ";",
      "?",
      "%C3%A9",
      "~",
      "=",
      "%3f",
      "@",
      "//",
    ]
    let seed = 11
    const next = (bound: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return Math.floor((seed / 2147483648) * bound)
    }
    let accepted = 0
    for (let i = 0; i < 20_000; i++) {
      const target = `/${Array.from({ length: next(8) }, () => parts[next(parts.length)]).join("")}`
      const result = canonicalPath(target)
      if (result.kind === "bad") continue
      accepted++
      const url = new URL(`https://host.test${target}`)
      expect(url.pathname).toBe(result.wirePath)
      expect(url.search.replace(/^\?/, "")).toBe(result.query)
      expect(result.wire).toBe(target)
      // However often a server decodes, and whether or not it resolves dots, it stays in the same place.
      const again = decodeURIComponent(decodeURIComponent(result.wirePath.replaceAll("%25", "p")))
      expect(again).not.toMatch(/\/\.{1,2}(\/|;|$)|\/\/|\\/)
    }
    expect(accepted).toBeGreaterThan(2000)
  })

  test("has a second reading only with an escaped slash", () => {
    expect(foldSlashes("/@types%2Fnode")).toBe("/@types/node")
    expect(foldSlashes("/a/b")).toBe("/a/b")
  })

  test("is joined with a changed query, and an empty one leaves no mark", () => {
    expect(joinTarget("/a", "x=1")).toBe("/a?x=1")
    expect(joinTarget("/a", "")).toBe("/a")
  })
})
