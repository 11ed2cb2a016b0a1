import { describe, expect, test } from "bun:test"
import { agent, benchDashboard, proposal } from "../../../support/dashboard.ts"

function filled() {
  return benchDashboard()
    .send({ kind: "proposals", list: [proposal("pone"), proposal("ptwo"), proposal("pthree")], at: 0 })
    .send({ kind: "agents", list: [agent("one-aaaaa"), agent("two-bbbbb", { state: "starting" })] })
}

describe("the two panes", () => {
  test("start in the agents, and the first list rings nothing", () => {
    const bench = filled()
    expect(bench.state.focus).toBe("agents")
    expect(bench.effects).toEqual([])
    expect(bench.screen()).not.toContain("(new!)")
  })

  test("show one cursor, in the focused pane", () => {
    const bench = filled()
    expect(bench.screen().match(/^> /gm)).toHaveLength(1)
    expect(bench.screen()).toMatch(/^> {3}one-aaaaa/m)
    bench.keys("tab")
    expect(bench.screen().match(/^> /gm)).toHaveLength(1)
    expect(bench.screen()).toMatch(/^> .*pone\.example/m)
  })

  test("keep their selection apart, and on the row as others come and go", () => {
    const bench = filled().keys("j", "tab", "j")
    expect(bench.state.agentsPane.selected).toBe("two-bbbbb")
    expect(bench.state.proposalsPane.selected).toBe("ptwo")
    bench.send({ kind: "proposals", list: [proposal("ptwo"), proposal("pthree")], at: 1 })
    expect(bench.state.proposalsPane.selected).toBe("ptwo")
    bench.send({ kind: "proposals", list: [proposal("pthree")], at: 2 })
    expect(bench.state.proposalsPane.selected).toBe("pthree")
  })

  test.each([
    ["j", "ptwo"],
    ["down", "ptwo"],
    ["k", "pone"],
    ["G", "pthree"],
    ["end", "pthree"],
  ])("%s moves the cursor to %s", (key, id) => {
    expect(filled().keys("tab", key).state.proposalsPane.selected).toBe(id)
  })

  test("a new proposal rings, takes the focus and the cursor, and is new for five seconds", () => {
    const bench = filled()
    bench.send({ kind: "proposals", list: [...bench.state.proposals, proposal("pfour"), proposal("pfive")], at: 1_000 })
    expect(bench.effects).toEqual([{ kind: "ring" }])
    expect(bench.state.focus).toBe("proposals")
    expect(bench.state.proposalsPane.selected).toBe("pfour")
    expect(bench.screen().match(/\(new!\)/g)).toHaveLength(2)
    bench.send({ kind: "tick", at: 5_999 })
    expect(bench.screen()).toContain("(new!)")
    bench.send({ kind: "tick", at: 6_001 })
    expect(bench.screen()).not.toContain("(new!)")
  })

  test("a new proposal rings and moves nothing while something is open", () => {
    const bench = filled().keys("?")
    bench.send({ kind: "proposals", list: [...bench.state.proposals, proposal("pfour")], at: 1 })
    expect(bench.effects).toEqual([{ kind: "ring" }])
    expect(bench.state.focus).toBe("agents")
    expect(bench.state.proposalsPane.selected).toBe("pone")
  })

  test.each([
    ["proposals", "e", "Tab goes to the agents"],
    ["proposals", "p", "Tab goes to the agents"],
    ["proposals", "x", "Tab goes to the agents"],
    ["agents", "a", "Tab goes to the proposals"],
    ["agents", "m", "Tab goes to the proposals"],
    ["agents", "r", "Tab goes to the proposals"],
  ])("in the %s %s says which pane to go to", (pane, key, hint) => {
    const bench = pane === "proposals" ? filled().keys("tab") : filled()
    bench.keys(key)
    expect(bench.screen()).toContain(hint)
    expect(bench.effects).toEqual([])
    bench.keys("k")
    expect(bench.screen()).not.toContain(hint)
  })

  test.each([
    [["return"], { kind: "attach", slug: "one-aaaaa" }],
    [["e"], { kind: "edit-policy", slug: "one-aaaaa", what: "routes" }],
    [["p"], { kind: "edit-policy", slug: "one-aaaaa", what: "allowlist" }],
    [["x", "y"], { kind: "stop", slug: "one-aaaaa", next: "two-bbbbb" }],
    [["l"], { kind: "logs", slug: "one-aaaaa" }],
    [["u"], { kind: "find-undo", slug: "one-aaaaa" }],
    [["n"], { kind: "start" }],
    [["q"], { kind: "quit" }],
    [["escape"], { kind: "quit" }],
  ] as const)("%p on an agent", (keys, effect) => {
    expect(filled().keys(...keys).effects).toEqual([effect])
  })

  test("a stop that is not confirmed stops nothing", () => {
    expect(filled().keys("x", "return").effects).toEqual([])
  })

  test("what is starting has no policy to edit", () => {
    const bench = filled().keys("j", "e")
    expect(bench.effects).toEqual([])
    expect(bench.screen()).toContain("two-bbbbb is starting")
  })

  test("the filter shows only what holds it; Esc first clears it, then leaves", () => {
    const bench = filled().keys("/").type("two-b").keys("return")
    expect(bench.screen()).not.toContain("one-aaaaa ")
    expect(bench.state.agentsPane.selected).toBe("two-bbbbb")
    bench.keys("escape")
    expect(bench.effects).toEqual([])
    expect(bench.screen()).toContain("one-aaaaa")
    expect(bench.keys("escape").effects).toEqual([{ kind: "quit" }])
  })

  test("what rests is counted and is no agent", () => {
    const bench = benchDashboard().send({ kind: "agents", list: [agent("old-ccccc", { state: "stopped" })] })
    expect(bench.screen()).toContain("1 kept (bottle list)")
    expect(bench.screen()).toContain("no agent runs; n starts one")
  })

  test("the status line says what e, p, x would act on until something is said", () => {
    const bench = filled()
    expect(bench.screen()).toContain("e, p, x, l act on one-aaaaa")
    bench.send({ kind: "say", text: "something" })
    expect(bench.screen()).not.toContain("act on")
    bench.keys("j")
    expect(bench.screen()).toContain("act on two-bbbbb")
  })
})
