import { describe, expect, test } from "bun:test"
import type { ProposalView } from "../../../../src/bottle/keeper/proposals/wire.ts"
import type { Effect } from "../../../../src/ui/dashboard/state/types.ts"
import { agent, type Bench, benchDashboard, proposal } from "../../../support/dashboard.ts"

function viewOf(more: Partial<ProposalView> = {}): ProposalView {
  return {
    proposal: proposal("pone"),
    shown: "hash-1",
    path: "/home/me/.bot-bottle/queue/one-aaaaa/pone.proposal.json",
    adds: "https://pone.example.com: whole host",
    already: false,
    findings: [{ kind: "new-host", weight: "danger", text: "the whole host opens" }],
    diff: "",
    refusals: { host: "pone.example.com", count: 0 },
    ...more,
  }
}

/** Looking at a proposal that was drawn at 1000 ms. */
function looking(more: Partial<ProposalView> = {}): Bench {
  const bench = benchDashboard()
    .send({ kind: "proposals", list: [proposal("pone")], at: 0 })
    .send({ kind: "agents", list: [agent("one-aaaaa")] })
    .keys("tab", "return")
  bench.send({ kind: "viewed", id: "pone", seen: { view: viewOf(more) }, at: 1_000 })
  bench.effects.length = 0
  bench.at = 1_000
  return bench
}
const decisions = (bench: Bench): Effect[] =>
  bench.effects.filter(({ kind }) => kind === "approve" || kind === "reject" || kind === "edit-proposal")

describe("looking at a proposal", () => {
  test("shows reason, payload, exact line and blast radius", () => {
    const screen = looking().screen()
    for (const words of [
      "I need it",
      "proposed route",
      "+ https://pone.example.com: whole host",
      "!! the whole host",
    ]) {
      expect(screen).toContain(words)
    }
  })

  test("a, then Enter, a second after it was drawn, approves what was shown", () => {
    const bench = looking()
    bench.at = 2_000
    bench.keys("a")
    expect(decisions(bench)).toEqual([])
    bench.keys("return")
    expect(decisions(bench)).toEqual([
      { kind: "approve", slug: "one-aaaaa", id: "pone", shown: "hash-1", once: false, text: undefined },
    ])
    expect(bench.keys("return", "a", "return").effects).toHaveLength(1)
  })

  test("keys typed as it appears decide nothing, and each begins the second anew", () => {
    const bench = looking()
    for (const at of [1_100, 1_900, 2_500, 3_400]) {
      bench.at = at
      bench.keys("a", "return")
    }
    expect(decisions(bench)).toEqual([])
    expect(bench.screen()).not.toContain("Enter approves until")
    bench.at = 4_500
    bench.keys("a", "return")
    expect(decisions(bench)).toHaveLength(1)
  })

  test.each([["a"], ["x"], ["y"], ["escape"], ["space"]])("a, then %s, approves nothing", (key) => {
    const bench = looking()
    bench.at = 3_000
    bench.keys("a", key, "return")
    expect(decisions(bench)).toEqual([])
  })

  test("a proposal or policy that moves is said, shown anew and needs another quiet second", () => {
    const bench = looking()
    bench.at = 3_000
    bench.keys("a")
    bench.send({ kind: "viewed", id: "pone", seen: { view: viewOf({ shown: "hash-2" }) }, at: 3_000 })
    bench.keys("return")
    expect(decisions(bench)).toEqual([])
    expect(bench.screen()).toContain("it has changed since you looked")
    bench.at = 4_100
    bench.keys("a", "return")
    expect(decisions(bench)).toMatchObject([{ shown: "hash-2" }])
  })

  test("what was decided elsewhere is said, and there is nothing left to decide", () => {
    const bench = looking()
    const outcome = { kind: "taken", status: "rejected", by: "ann", at: "now" } as const
    bench.send({ kind: "viewed", id: "pone", seen: { outcome }, at: 2_000 })
    expect(bench.screen()).toContain("already rejected by ann")
    bench.at = 9_000
    expect(decisions(bench.keys("a", "return", "r"))).toEqual([])
  })

  test("an approval that fails is said there, and it can be tried again", () => {
    const bench = looking()
    bench.at = 3_000
    bench.keys("a", "return")
    const lines = ["pone: not in force, and still open: the sidecar is down"]
    bench.send({ kind: "decided", id: "pone", outcome: { kind: "failed", why: "down" }, lines, at: 3_100 })
    expect(bench.screen()).toContain("the sidecar is down")
    bench.at = 4_200
    bench.keys("a", "return")
    expect(decisions(bench)).toHaveLength(2)
  })

  test("a rejection takes its reason; nothing typed aborts it", () => {
    const bench = looking()
    bench.at = 3_000
    bench.keys("r", "return")
    expect(bench.screen()).toContain("rejection aborted")
    bench.keys("r").type("no q").keys("backspace", "x", "return")
    expect(decisions(bench)).toMatchObject([{ kind: "reject", shown: "hash-1", reason: "no x" }])
  })

  test("the operator's own text is shown, and approved as what it is", () => {
    const bench = looking()
    bench.at = 3_000
    bench.keys("m")
    expect(decisions(bench)).toMatchObject([{ kind: "edit-proposal", text: "host: pone.example.com\n" }])
    bench.send({ kind: "edited", id: "pone", text: undefined, at: 4_000 })
    expect(bench.screen()).toContain("modify aborted")
    const text = "host: mine.example.com\n"
    bench.send({ kind: "edited", id: "pone", text, at: 4_000 })
    expect(bench.effects.at(-1)).toEqual({ kind: "view", slug: "one-aaaaa", id: "pone", text })
    // What the agent's text would open is not shown for the operator's, and decides nothing, also when it comes late.
    bench.send({ kind: "viewed", id: "pone", seen: { view: viewOf() }, at: 4_500 })
    expect(bench.screen()).not.toContain("the whole host")
    bench.at = 6_000
    bench.keys("a", "return")
    expect(decisions(bench)).toHaveLength(1)
    const findings = [{ kind: "new-host", weight: "note", text: "one path of it" }] as const
    const own = viewOf({ shown: "hash-own", adds: "https://mine.example.com: /one", findings })
    bench.send({ kind: "viewed", id: "pone", text, seen: { view: own }, at: 7_000 })
    for (const words of ["YOUR TEXT", "host: mine.example.com", "+ https://mine.example.com: /one", "one path of it"]) {
      expect(bench.screen()).toContain(words)
    }
    expect(bench.screen()).not.toContain("it has changed")
    bench.at = 7_500
    bench.keys("a", "return")
    expect(decisions(bench)).toHaveLength(1)
    bench.at = 9_000
    bench.keys("a", "return")
    expect(decisions(bench)[1]).toMatchObject({ kind: "approve", shown: "hash-own", text })
  })

  test("the operator's own text that cannot be in force is not approved, and can be edited again", () => {
    const bench = looking()
    bench.at = 3_000
    bench.keys("m")
    const text = "host: [\n"
    bench.send({ kind: "edited", id: "pone", text, at: 4_000 })
    bench.send({ kind: "viewed", id: "pone", text, seen: { view: viewOf({ cannot: "not a route" }) }, at: 4_100 })
    bench.at = 6_000
    bench.keys("a", "return", "m")
    expect(decisions(bench).slice(1)).toMatchObject([{ kind: "edit-proposal", text }])
  })

  test("a credential for a new host is not approved by keys", () => {
    const bench = looking({ typeHost: "pone.example.com" })
    bench.at = 3_000
    bench.keys("a", "return")
    expect(decisions(bench)).toEqual([])
    expect(bench.screen()).toContain("--with-credential-to HOST")
  })

  test("a long one scrolls to its end and back, and hides no line", () => {
    const lines = Array.from({ length: 60 }, (_, at) => `line ${at}`).join("\n")
    const bench = looking({ proposal: proposal("pone", { justification: lines }) })
    expect(bench.screen()).toMatch(/more lines: j/)
    bench.keys("G")
    expect(bench.screen()).toContain("!! the whole host")
    bench.keys("k", "g")
    expect(bench.screen()).toContain("bottle    one-aaaaa")
  })
})
