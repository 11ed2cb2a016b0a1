import { describe, expect, test } from "bun:test"
import type { SidecarEvent } from "../../../../sidecars/control.ts"
import { parseBody } from "../../../../sidecars/supervise/http/json.ts"
import { Notices } from "../../../../sidecars/supervise/notices.ts"
import { Rate } from "../../../../sidecars/supervise/rate.ts"
import { checkSchema, type ObjectSchema } from "../../../../sidecars/supervise/tools/schema.ts"

describe("a rate", () => {
  test("lets a burst through, then as many a minute as it says", () => {
    let now = 0
    const rate = new Rate({ burst: 3, perMinute: 6 }, () => now)
    expect([1, 2, 3, 4].map(() => rate.take())).toEqual([0, 0, 0, 10])
    now = 9_000
    expect(rate.take()).toBe(1)
    now = 10_001
    expect([rate.take(), rate.take()]).toEqual([0, 10])
    now = 10 ** 9
    expect([1, 2, 3, 4].map(() => rate.take())).toEqual([0, 0, 0, 10])
  })
})

describe("what an agent could say thousands of times", () => {
  test("is told once, then as a count a minute", () => {
    let now = 0
    const events: SidecarEvent[] = []
    const notices = new Notices(
      (event) => void events.push(event),
      () => now,
    )
    for (let times = 0; times < 1000; times += 1) notices.tell("limited", { what: "proposals" })
    notices.tell("limited", { what: "questions" })
    expect(events).toHaveLength(2)
    now = 60_000
    notices.tell("limited", { what: "proposals" })
    expect(events.at(-1)).toMatchObject({ kind: "limited", what: "proposals", count: 1000 })
  })
})

describe("a body", () => {
  const parse = (text: string | Uint8Array) => parseBody(typeof text === "string" ? Buffer.from(text) : text, 32)
  test.each([
    ["is not JSON", "{"],
    ["is empty", ""],
    ["nests too deep", `${"[".repeat(33)}${"]".repeat(33)}`],
    ["nests far too deep", "[".repeat(500_000)],
    ["nests too deep behind what looks like text", `{"a":"\\"","b":${"[".repeat(40)}`],
    ["is a list of messages", '[{"jsonrpc":"2.0"}]'],
  ])("that %s is refused", (_, text) => expect(parse(text).kind).toBe("bad"))
  test("that is not UTF-8 is refused", () => {
    expect(parse(Buffer.from([0x22, 0xff, 0x22])).kind).toBe("bad")
    expect(parse(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])).kind).toBe("bad")
  })
  test("is taken with brackets in its texts", () => {
    expect(parse(JSON.stringify({ a: '[{"\\'.repeat(100) })).kind).toBe("json")
  })
})

describe("arguments", () => {
  const schema: ObjectSchema = {
    type: "object",
    properties: {
      name: { type: "string", minLength: 1, maxLength: 5, enum: ["a", "bb"] },
      list: { type: "array", items: { type: "string", maxLength: 2 }, minItems: 1, maxItems: 2 },
      count: { type: "integer", minimum: 0, maximum: 9 },
      in: {
        type: "object",
        properties: { x: { type: "string", maxLength: 1 } },
        required: ["x"],
        additionalProperties: false,
      },
    },
    required: ["name"],
    additionalProperties: false,
  }
  const check = (value: unknown) => checkSchema(value, schema, "arguments")

  test("that fit are taken", () => {
    expect(check({ name: "a", list: ["x"], count: 0, in: { x: "" } })).toBeUndefined()
  })

  test.each([
    [null, "arguments must be an object."],
    [[], "arguments must be an object."],
    [{}, "arguments needs name."],
    [{ name: 1 }, "name must be a text."],
    [{ name: "" }, "name must not be empty."],
    [{ name: "c" }, "name must be one of a, bb."],
    [{ name: "a", list: [] }, "list must not be empty: leave it out instead."],
    [{ name: "a", list: ["x", "y", "z"] }, "list has 3 entries; at most 2 are taken."],
    [{ name: "a", list: { length: 1 } }, "list must be a list."],
    [{ name: "a", list: ["xyz"] }, "list[0] has 3 characters; at most 2 are taken."],
    [{ name: "a", list: ["\ud800"] }, "list[0] holds what is no character."],
    [{ name: "a", list: ["\0"] }, "list[0] holds what is no character."],
    [{ name: "a", count: 1.5 }, "count must be a whole number from 0 to 9."],
    [{ name: "a", count: Number.NaN }, "count must be a whole number from 0 to 9."],
    [{ name: "a", in: { y: 1 } }, 'in has no member "y"; it takes x.'],
    [
      JSON.parse('{"name":"a","__proto__":{"x":1}}'),
      'arguments has no member "__proto__"; it takes name, list, count, in.',
    ],
    [
      JSON.parse('{"name":"a","constructor":1}'),
      'arguments has no member "constructor"; it takes name, list, count, in.',
    ],
    [JSON.parse('{"__proto__":{"name":"a"}}'), 'arguments has no member "__proto__"; it takes name, list, count, in.'],
  ])("that do not are refused by place: %o", (value, why) => expect(check(value)).toBe(why))
})
