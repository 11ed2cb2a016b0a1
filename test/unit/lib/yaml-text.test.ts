import { describe, expect, test } from "bun:test"
import { parse } from "yaml"
import { printYaml } from "../../../src/lib/yaml-text.ts"

describe("data as YAML", () => {
  test("reads well", () => {
    const data = {
      routes: [{ host: "a.example", matches: [{ paths: [{ type: "prefix", value: "/v1" }], methods: ["GET"] }] }],
    }
    expect(printYaml(data)).toBe(
      "routes:\n  - host: a.example\n    matches:\n      - paths:\n          - type: prefix\n            value: /v1\n        methods: [GET]\n",
    )
  })

  for (const text of [
    ..."true|No|y|null|1|1e3|0x1f|-|*|~|: a|a: b|a #b|#a|'a'|\"a\"|&a|!a|%a|@a|`a|{a|[a|a,b|a |".split("|"),
    "a\nb",
    "a\r\nb",
    "\u0085\u2028\u2029\ufeff\u202e\u200b\x7f",
    "\u{e0041}bücher\u{1f600}",
    "/v1",
    "*.example.com",
    "2026-11-21",
    "---",
    "a\\nb",
  ]) {
    test(`keeps ${JSON.stringify(text)} as the text it is`, () => {
      for (const data of [text, [text, text], { [text]: text, list: [{ [text]: [text] }] }]) {
        expect(parse(printYaml(data))).toEqual(data)
      }
    })
  }

  test("keeps empty lists, empty objects, numbers and booleans", () => {
    const data = { a: [], b: {}, c: [[], {}], d: 443, e: false, f: [[1, 2], [true]] }
    expect(parse(printYaml(data))).toEqual(data)
  })

  test("shows no invisible character as itself", () => {
    expect(printYaml("a\u202eb\u200bc")).toBe('"a\\u202eb\\u200bc"\n')
  })
})
