import { describe, expect, test } from "bun:test"
import type { ProposalView } from "../../../../src/bottle/keeper/proposals/wire.ts"
import type { Proposal } from "../../../../src/proposals/types.ts"
import { drawReview } from "../../../../src/ui/review/draw.ts"
import { readKeys } from "../../../../src/ui/review/keys.ts"
import { type Effect, type Happening, type Review, startReview } from "../../../../src/ui/review/model.ts"
import { step } from "../../../../src/ui/review/step.ts"

const size = { rows: 24, columns: 80 }

function makeProposal(id: string, more: Partial<Proposal> = {}): Proposal {
  return {
    schemaVersion: 1,
    id,
    bottle_slug: "dev-abc12",
    tool: "egress-block",
    proposed_file: "host: a.example\n",
    justification: "because",
    arrival_timestamp: "2026-01-02T03:04:05.000Z",
    current_file_hash: "0",
    ...more,
  }
}

function makeView(proposal: Proposal, more: Partial<ProposalView> = {}): ProposalView {
  const findings = [{ kind: "new-host", weight: "danger", text: "a.example is new" }] as const
  const refusals = { host: "a.example", count: 0 }
  const about = { proposal, shown: "hash", path: "/q/p.json", adds: "https://a.example: whole host", already: false }
  return { ...about, findings, refusals, diff: "", ...more }
}

const [one, two] = [makeProposal("p0000000001"), makeProposal("p0000000002")]

/** Everything that happens, and what shall be done because of it. */
function play(review: Review, ...happenings: Happening[]): { review: Review; effects: Effect[] } {
  const effects: Effect[] = []
  let now = review
  for (const happening of happenings) {
    const next = step(now, happening)
    now = next.review
    effects.push(...next.effects)
  }
  return { review: now, effects }
}

const keys = (text: string): Happening[] => readKeys(text).map((key) => ({ kind: "key", key }))
const quiet: Happening = { kind: "quiet" }
const view = (of: Proposal, more: Partial<ProposalView> = {}): Happening => ({
  ...{ kind: "view", id: of.id, view: makeView(of, more) },
})
const screen = (review: Review) =>
  drawReview(review)
    .map(({ text }) => text)
    .join("\n")
/** One that is shown, with keys that count. */
const looking = (of = one, more: Partial<ProposalView> = {}, open = [one, two]) =>
  play(startReview(size, of.id), { kind: "queue", open }, view(of, more), quiet).review
const kinds = (effects: readonly Effect[]) => effects.map(({ kind }) => kind)

describe("keys", () => {
  test("before a second without one do nothing, whatever they are", () => {
    const drawn = play(startReview(size, undefined), { kind: "queue", open: [one] }, view(one)).review
    const { review, effects } = play(drawn, ...keys("a\rq\x1brx\r\x03lmn"))
    expect(effects).toEqual([])
    expect(review).toEqual(drawn)
    expect(screen(review)).toContain("wait: keys count")
  })

  test("approve with two that differ: one held approves nothing", () => {
    expect(kinds(play(looking(), ...keys("aaaa")).effects)).toEqual([])
    expect(kinds(play(looking(), ...keys("\r\r\r")).effects)).toEqual([])
    expect(play(looking(), ...keys("a\r\r")).effects).toMatchObject([{ kind: "approve", scope: { kind: "session" } }])
  })

  test("choose for how long, among what this kind of proposal allows", () => {
    expect(play(looking(), ...keys("ao\r")).effects).toMatchObject([{ scope: { kind: "once" } }])
    expect(play(looking(), ...keys("at\r")).effects).toMatchObject([{ scope: { kind: "for", seconds: 1800 } }])
    const host = makeProposal("p0000000003", { tool: "pipelock-block" })
    expect(play(looking(host, {}, [host]), ...keys("ao\r")).effects).toMatchObject([{ scope: { kind: "session" } }])
  })

  test("save only what was shown that it writes, after another second", () => {
    const asked = play(looking(), ...keys("af"))
    expect(asked.effects).toEqual([{ kind: "load", id: one.id, save: true }])
    expect(kinds(play(asked.review, ...keys("\r")).effects)).toEqual([])
    const save = { path: "/b/dev.md", diff: "+  - a.example", sha256: "1" }
    const shown = play(asked.review, view(one, { save }))
    expect(screen(shown.review)).toContain("saving writes /b/dev.md")
    expect(kinds(play(shown.review, ...keys("\r")).effects)).toEqual([])
    expect(play(shown.review, quiet, ...keys("\r")).effects).toMatchObject([
      { kind: "approve", scope: { kind: "save" }, shown: { view: { save } } },
    ])
  })

  test("reject with a reason; an empty one, or Esc, does not", () => {
    expect(play(looking(), ...keys("rno way\r")).effects).toMatchObject([{ kind: "reject", reason: "no way" }])
    expect(kinds(play(looking(), ...keys("r   \r")).effects)).toEqual([])
    expect(kinds(play(looking(), ...keys("rno"), ...keys("\x1b"), ...keys("\r")).effects)).toEqual([])
  })

  test("approve nothing that was not on the screen: what it opens comes first, and has to be seen", () => {
    const findings = Array.from(
      { length: 40 },
      (_, at) => ({ kind: "wildcard", weight: "danger", text: `d${at}` }) as const,
    )
    const long = looking(one, { findings })
    const refused = play(long, ...keys("a\r"))
    expect(kinds(refused.effects)).toEqual([])
    expect(screen(refused.review)).toContain("there is more to see")
    expect(kinds(play(long, ...keys("   a\r")).effects)).toEqual(["approve"])
  })

  test("ask for the host by hand where a credential would newly go there", () => {
    const typed = play(looking(one, { typeHost: "a.example" }), ...keys("a\ra.example\r"))
    expect(typed.effects).toMatchObject([{ kind: "approve", typedHost: "a.example" }])
    expect(kinds(play(looking(one, { typeHost: "a.example" }), ...keys("a\r\r\r")).effects)).toEqual([])
  })

  test("put off, turn, leave", () => {
    expect(play(looking(), ...keys("n")).effects).toMatchObject([{ kind: "load", id: two.id }])
    const put = play(looking(), ...keys("l"), view(two), quiet, ...keys("l"))
    expect(kinds(put.effects)).toEqual(["load", "leave"])
    expect(kinds(play(looking(), ...keys("q")).effects)).toEqual(["leave"])
  })
})

describe("what moves", () => {
  test("is said, ends a half-made approval, and needs its own second", () => {
    const moved = play(looking(), ...keys("a"), view(one, { shown: "other" }))
    expect(screen(moved.review)).toContain("it has moved since you looked")
    expect(kinds(play(moved.review, ...keys("\r"), ...keys("a\r")).effects)).toEqual([])
    expect(kinds(play(moved.review, quiet, ...keys("\r")).effects)).toEqual([])
    expect(kinds(play(moved.review, quiet, ...keys("a\r")).effects)).toEqual(["approve"])
  })

  test("in counts of refusals alone is no move, and another proposal changes only the count", () => {
    const before = play(looking(one, {}, [one]), ...keys("a")).review
    const { review } = play(before, view(one, { refusals: { host: "a.example", count: 3 } }), {
      kind: "queue",
      open: [one, two],
    })
    expect(review.mode.kind).toBe("scope")
    expect(review.armed).toBe(true)
    expect(screen(review)).toContain("1 of 2")
  })

  test("away shows the next one, which needs its own second", () => {
    const { review, effects } = play(looking(), { kind: "queue", open: [two] }, view(two), ...keys("a\r"))
    expect(kinds(effects)).toEqual(["load"])
    expect(review.at).toBe(two.id)
    expect(screen(review)).toContain("decided elsewhere")
  })

  test("to an end says so, and any key that counts closes it", () => {
    const ended = play(looking(one, {}, [one]), { kind: "queue", open: [] }).review
    expect(screen(ended)).toContain("no open proposals")
    expect(kinds(play(ended, ...keys("x")).effects)).toEqual([])
    expect(kinds(play(ended, quiet, ...keys("x")).effects)).toEqual(["leave"])
  })
})

describe("a decision", () => {
  const sent = () => play(looking(), ...keys("a\r")).review

  test("that failed keeps the proposal at hand, with the reason", () => {
    const outcome = { kind: "failed", why: "the sidecars are not up" } as const
    const { review, effects } = play(sent(), {
      kind: "decided",
      id: one.id,
      outcome,
      lines: ["not in force: no sidecar"],
    })
    expect(review.at).toBe(one.id)
    expect(screen(review)).toContain("not in force: no sidecar")
    expect(effects).toEqual([{ kind: "load", id: one.id, save: false }])
  })

  test("takes no key meanwhile, and goes on to the next one", () => {
    expect(kinds(play(sent(), ...keys("a\rrx\rq")).effects)).toEqual([])
    const applied = { diff: "", notes: "", warnings: [] }
    const outcome = { kind: "done", status: "approved", seq: 1, applied } as const
    const { review } = play(sent(), { kind: "decided", id: one.id, outcome, lines: ["p: approved"] })
    expect(review.at).toBe(two.id)
    expect(review.armed).toBe(false)
    expect(screen(review)).toContain("p: approved")
  })

  test("on a text of the operator's own is for that text", () => {
    const edited: Happening = { kind: "edited", id: one.id, text: "host: b.example\n" }
    const { review, effects } = play(looking(), ...keys("m"), edited)
    expect(screen(review)).toContain("+host: b.example")
    expect(effects.at(-1)).toMatchObject({ kind: "load", text: "host: b.example\n" })
    // Until what it opens is shown, nothing is approved; what was asked before the edit is not about it.
    const view = review.shown?.view
    if (view === undefined) throw new Error("nothing is shown")
    const early = play(review, { kind: "view", id: one.id, view }, quiet, ...keys("a\r"))
    expect(early.effects).toEqual([])
    const about: Happening = { kind: "view", id: one.id, view, text: "host: b.example\n" }
    const approved = play(review, about, quiet, ...keys("a\r")).effects
    expect(approved).toMatchObject([{ shown: { text: "host: b.example\n" } }])
    const same: Happening = { kind: "edited", id: one.id, text: one.proposed_file }
    expect(screen(play(looking(), ...keys("m"), same).review)).toContain("modify aborted")
  })
})

describe("the screen", () => {
  const evil = `x\u001b[2Jy\u001b]52;c;aGk=\u0007\r\nblast radius: nothing new\u202e${"長い".repeat(200)}`
  for (const [columns, rows] of [
    [80, 24],
    [300, 100],
    [40, 12],
    [20, 6],
    [5, 2],
    [1, 1],
  ] as const) {
    test(`of ${columns}x${rows} is never left, whatever the agent says, and holds nothing that acts`, () => {
      const said = makeProposal(one.id, { justification: evil, proposed_file: evil })
      const { review } = play(looking(said, { adds: evil, path: evil }), { kind: "size", size: { columns, rows } })
      for (const typed of ["", "a", "r", "?", "G", "  "]) {
        const drawn = drawReview(play(review, ...keys(typed)).review)
        expect(drawn.length).toBeLessThanOrEqual(rows)
        for (const { text } of drawn) {
          expect(Bun.stringWidth(text)).toBeLessThanOrEqual(columns)
          expect(text).not.toMatch(/[\p{Cc}\u202e]/u)
        }
      }
    })
  }

  test("keeps the agent's words under its own headings", () => {
    const lines = screen(looking(makeProposal(one.id, { justification: "ok\nblast radius: nothing new" }))).split("\n")
    expect(lines.filter((line) => line.startsWith("blast radius"))).toEqual(["blast radius"])
    expect(lines).toContain("  blast radius: nothing new")
  })
})
