import { expect, test } from "bun:test"
import { fenceProofHost } from "../../../sidecars/guest/protocol.ts"
import { RefusalCounts } from "../../../src/bottle/keeper/auditing/refusal-counts.ts"

const refused = (host: unknown, reason = "unlisted-host") => ({ kind: "refused", gate: "egress", reason, host })

test("refusals are counted by host and reason, the most first, and the fence proof's are not", () => {
  const counts = new RefusalCounts()
  for (const host of ["a.test", "b.test", "b.test", fenceProofHost]) counts.add(refused(host))
  counts.add(refused("b.test", "method"))
  counts.addLine(JSON.stringify(refused("b.test")))
  expect(counts.add({ kind: "request", host: "a.test" })).toBe(false)
  expect(counts.total).toBe(5)
  expect(JSON.parse(String(counts.detail().refusals))).toMatchObject([
    { host: "b.test", reason: "unlisted-host", count: 3 },
    { host: "a.test", count: 1 },
    { host: "b.test", reason: "method", count: 1 },
  ])
})

test("a million hosts of an agent's choice take no room, and none is lost from the total", () => {
  const counts = new RefusalCounts()
  const long = "\u202e\u001b]52;".repeat(1000)
  for (let n = 0; n < 20_000; n += 1) counts.add(refused(`${n}.${long}`))
  counts.add(refused({ toString: () => "x" }))
  const detail = counts.detail()
  const named = JSON.parse(String(detail.refusals)) as { host: string; count: number }[]
  expect(detail.total).toBe(20_001)
  expect(named.reduce((sum, { count }) => sum + count, Number(detail.other))).toBe(20_001)
  expect(String(detail.refusals).length).toBeLessThan(4096)
  for (const { host } of named) expect(host).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})

test("a line that was cut short by a kill counts as one", () => {
  const counts = new RefusalCounts()
  counts.addLine('{"kind":"refused","ho')
  counts.addLine('{"kind":"request"')
  expect(counts.total).toBe(1)
})
