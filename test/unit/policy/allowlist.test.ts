import { describe, expect, test } from "bun:test"
import { parseAllowlist, printAllowlist } from "../../../src/policy/allowlist.ts"

const hostsOf = (text: string) => {
  const parsed = parseAllowlist(text)
  return parsed.kind === "allowlist" ? parsed.hosts : parsed
}

describe("an allowlist file", () => {
  test("has one host a line, comments and blank lines", () => {
    expect(hostsOf("# docs\ndocs.example\n\n  *.Cdn.Example.com  # and below\r\n#end")).toEqual([
      "docs.example",
      "*.cdn.example.com",
    ])
  })

  test("names each host once, in its one spelling and in the order written", () => {
    expect(hostsOf("b.example\nA.example.\na.example\nbücher.example")).toEqual([
      "b.example",
      "a.example",
      "xn--bcher-kva.example",
    ])
  })

  test("may be empty", () => {
    expect(hostsOf("")).toEqual([])
    expect(hostsOf(printAllowlist([]))).toEqual([])
  })

  test("is read back as it was printed", () => {
    const hosts = ["docs.example", "*.cdn.example.com", "xn--bcher-kva.example", "[2001:db8::1]"]
    expect(hostsOf(printAllowlist(hosts))).toEqual(hosts)
  })

  for (const [line, why] of [
    ["https://docs.example/", "without https://"],
    ["docs.example/path", "a path is not looked at"],
    ["docs.example:8443", "port 443"],
    ["docs.example other.example", "one host a line"],
    ["*", "every host at once"],
    ["*.com", "too wide"],
    ["exa_mple.com", "underscore"],
    ["docs.example\u200b", "invisible"],
  ] as const) {
    test(`refuses ${JSON.stringify(line)} with its line`, () => {
      const parsed = parseAllowlist(`good.example\n${line}\n`)
      expect(parsed).toMatchObject({ kind: "bad", problems: [{ line: 2, why: expect.stringContaining(why) }] })
    })
  }

  test("tells of every wrong line", () => {
    expect(parseAllowlist("a b\nfine.example\n*\n")).toMatchObject({ problems: [{ line: 1 }, { line: 3 }] })
  })

  test("is refused when it is too long", () => {
    expect(parseAllowlist("a".repeat(2 ** 20 + 1))).toMatchObject({ kind: "bad" })
    const many = Array.from({ length: 10_001 }, (_, at) => `h${at}.example`).join("\n")
    expect(parseAllowlist(many)).toMatchObject({ kind: "bad", problems: [{ why: expect.stringContaining("10000") }] })
  })
})
