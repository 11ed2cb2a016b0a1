import { describe, expect, test } from "bun:test"
import { appendFileSync } from "node:fs"
import { byTime, selectEntries } from "../../../src/audit/select.ts"
import { parseSince } from "../../../src/audit/since.ts"
import type { AuditEntry } from "../../../src/audit/types.ts"
import { entryLines } from "../../../src/ui/audit-lines.ts"
import { fact } from "../../support/audit/fact.ts"
import { auditPlaces } from "../../support/audit/place.ts"

const makeAudit = auditPlaces("audit-show")
const now = new Date("2026-11-21T12:00:00Z")

describe("--since", () => {
  for (const [text, iso] of [
    ["90s", "2026-11-21T11:58:30.000Z"],
    ["2h", "2026-11-21T10:00:00.000Z"],
    ["7d", "2026-11-14T12:00:00.000Z"],
    ["1w", "2026-11-14T12:00:00.000Z"],
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2026-01-31T08:00Z", "2026-01-31T08:00:00.000Z"],
    ["2026-01-31T08:00:00+02:00", "2026-01-31T06:00:00.000Z"],
  ] as const) {
    test(`${text} is ${iso}`, () => expect(parseSince(text, now)?.toISOString()).toBe(iso))
  }
  for (const text of ["", "yesterday", "2", "2026-13-01", "2026", "-1h", "2h ", "99999999999d", "1795255200500"]) {
    test(`${JSON.stringify(text)} is no time`, () => expect(parseSince(text, now)).toBeUndefined())
  }
})

describe("what is selected", () => {
  test("of all bottles, newest last, by component and time", async () => {
    const place = makeAudit()
    let at = Date.now()
    const clock = () => {
      at += 1_000
      return new Date(at)
    }
    const [a, b] = [place.pen("a-11111", undefined, clock), place.pen("b-11111", undefined, clock)]
    await a.append(fact("start"))
    await b.append(fact("start"))
    await a.append(fact("approve", { component: "egress" }))
    const select = (more: object) =>
      byTime(
        selectEntries(place.paths.audit, {
          slug: undefined,
          component: undefined,
          since: undefined,
          ...more,
        }).entries(),
      ).map(({ bottle_slug, operator_action }) => `${bottle_slug} ${operator_action}`)
    expect(select({})).toEqual(["a-11111 start", "b-11111 start", "a-11111 approve"])
    expect(select({ component: "egress" })).toEqual(["a-11111 approve"])
    expect(select({ slug: "b-11111" })).toEqual(["b-11111 start"])
    expect(select({ slug: "c-11111" })).toEqual([])
    expect(select({ since: new Date(Date.now() + 60_000) })).toEqual([])
  })

  test("leaves out and counts what is no entry", async () => {
    const place = makeAudit()
    await place.write("a-11111", "start")
    appendFileSync(place.log("a-11111"), "rubbish\n{}\ntorn")
    const selected = selectEntries(place.paths.audit, { slug: undefined, component: undefined, since: undefined })
    expect([...selected.entries()].length).toBe(1)
    expect(selected.unreadable()).toBe(3)
  })
})

test("what an agent or a forger wrote is shown, and does nothing", () => {
  const evil = "\u001b]52;c;eA==\u0007\u202e\u200b\r\nfake line"
  const entry: AuditEntry = {
    ...fact(evil, { justification: evil, operator_notes: evil, diff: `-${evil}\n+x`, detail: { [evil]: evil } }),
    schemaVersion: 1,
    seq: 1,
    timestamp: "2026-11-21T10:00:00Z",
    bottle_slug: evil,
    prev_hash: "",
    signature: "",
    hash: "",
  }
  const lines = entryLines(entry)
  expect(lines.length).toBeGreaterThan(4)
  for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})
