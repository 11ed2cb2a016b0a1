import { describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { listProposals } from "../../../../src/bottle/proposals/list.ts"
import { watchProposals } from "../../../../src/bottle/proposals/watch.ts"
import { hashPolicy } from "../../../../src/policy/hash.ts"
import type { EgressPolicy } from "../../../../src/policy/types.ts"
import { approve, makeBench, propose, queueDir, reject, view } from "../../../support/proposals/desk.ts"
import { tempDir } from "../../../support/temp.ts"

const home = tempDir("desk")
let made = 0
const bench = (policy?: EgressPolicy, more = {}) => makeBench(join(home, `h${made++}`), policy, more)

const auth = { scheme: "Bearer", token_ref: "SLOT" }
const known: EgressPolicy = {
  routes: [{ host: "api.test", scheme: "https", port: 443, auth, matches: [{ methods: ["GET"] }] }],
  allowlist: ["listed.test"],
  log: 0,
  supervise: true,
}
const audited = ({ paths, plan }: Awaited<ReturnType<typeof bench>>) =>
  readFileSync(join(paths.audit, `${plan.slug}.jsonl`), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))

describe("an approval", () => {
  test("is in force, then on record, then answered, told and archived", async () => {
    const b = await bench()
    const id = await propose(b.desk, "host: new.test\nmatches: [{methods: [GET]}]", "egress-block", "I need it")
    const outcome = await approve(b.desk, id, { notes: "fine" })
    expect(outcome).toMatchObject({ kind: "done", status: "approved", seq: 1 })
    expect(b.supervisor.inForce.routes).toMatchObject([{ host: "new.test", matches: [{ methods: ["GET"] }] }])
    const [entry] = audited(b)
    expect(entry).toMatchObject({ operator_action: "approve", operator_notes: "fine", justification: "I need it" })
    expect(entry.diff).toContain("+  host: new.test".replace("  ", " ").replace("+ ", "+- "))
    expect(entry.detail).toMatchObject({
      proposal: id,
      scope: "session",
      policy_after: hashPolicy(b.supervisor.inForce),
    })
    expect(b.supervisor.told).toMatchObject([{ proposal_id: id, status: "approved", notes: "fine" }])
    expect(readdirSync(queueDir(b))).toEqual(["archive"])
    expect(await b.desk.onCall({ op: "proposal-status", id })).toMatchObject({ kind: "decided" })
  })

  test("that cannot be applied stays open, with no answer and no line of success; the next try works", async () => {
    const b = await bench()
    const id = await propose(b.desk, "host: new.test")
    b.supervisor.failWith = "egress is not running"
    expect(await approve(b.desk, id)).toMatchObject({ kind: "failed", why: "egress is not running" })
    expect(existsSync(join(b.paths.audit, `${b.plan.slug}.jsonl`))).toBe(false)
    expect(b.supervisor.told).toEqual([])
    expect(await b.desk.onCall({ op: "proposal-status", id })).toEqual({ kind: "pending", id })
    b.supervisor.failWith = undefined
    expect(await approve(b.desk, id)).toMatchObject({ kind: "done" })
  })

  test("of what was shown before something else was approved is refused as stale", async () => {
    const b = await bench()
    const [one, two] = [await propose(b.desk, "host: one.test"), await propose(b.desk, "host: two.test")]
    const { shown } = await view(b.desk, two)
    await approve(b.desk, one)
    expect(await approve(b.desk, two, { shown })).toEqual({ kind: "stale" })
    expect(await approve(b.desk, two)).toMatchObject({ kind: "done" })
  })

  test("by two at once is one's; the other is told who was first", async () => {
    const b = await bench()
    const id = await propose(b.desk, "host: new.test")
    const outcomes = await Promise.all([approve(b.desk, id, { by: "ann" }), approve(b.desk, id, { by: "bob" })])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(["done", "taken"])
    expect(outcomes.find(({ kind }) => kind === "taken")).toMatchObject({ by: "ann", status: "approved" })
    expect(b.desk.decider.grants).toHaveLength(1)
  })

  test("of a known host's route keeps its credential and ignores the agent's", async () => {
    const b = await bench(known, { plan: { slots: ["SLOT"] } })
    const id = await propose(
      b.desk,
      "host: API.test\nauth: {scheme: token, token_ref: SLOT}\nmatches: [{methods: [POST]}]",
    )
    expect((await view(b.desk, id)).findings.map(({ kind }) => kind)).toEqual(["credential-methods"])
    await approve(b.desk, id)
    expect(b.supervisor.inForce.routes).toEqual([
      { ...known.routes[0]!, matches: [{ methods: ["GET"] }, { methods: ["POST"] }] },
    ])
  })

  test("that ties a credential to a new host needs that host typed", async () => {
    const b = await bench(known, { plan: { slots: ["SLOT"] } })
    const id = await propose(b.desk, "host: new.test\nauth: {scheme: Bearer, token_ref: SLOT}")
    expect((await view(b.desk, id)).typeHost).toBe("new.test")
    expect(await approve(b.desk, id)).toMatchObject({ kind: "refused" })
    expect(await approve(b.desk, id, { typedHost: "now.test" })).toMatchObject({ kind: "refused" })
    expect(await approve(b.desk, id, { typedHost: "New.test", secrets: { SLOT: "v" } })).toMatchObject({ kind: "done" })
    expect(b.supervisor.secretsGiven).toEqual({ SLOT: "v" })
    expect(b.supervisor.inForce.routes.at(-1)).toMatchObject({ host: "new.test", auth })
  })

  test("for a while ends by itself, also in the supervisor's hands", async () => {
    const b = await bench()
    await approve(b.desk, await propose(b.desk, "host: new.test"), { scope: { kind: "for", seconds: 60 } })
    expect(b.supervisor.later).toMatchObject([{ at: "2040-01-02T03:05:05.000Z", policy: { routes: [] } }])
    b.clock.now = new Date("2040-01-02T03:05:06.000Z")
    const next = await b.next()
    await next.takeOver({ policy: b.supervisor.inForce, usedOnce: [] })
    expect(b.supervisor.inForce.routes).toEqual([])
    expect(audited(b).map(({ operator_action }) => operator_action)).toEqual(["approve", "expire"])
  })

  test("once is a rule of its own, and on record when it is used up", async () => {
    const b = await bench()
    await approve(b.desk, await propose(b.desk, "host: new.test"), { scope: { kind: "once" } })
    expect(b.supervisor.inForce.once).toHaveLength(1)
    const id = b.supervisor.inForce.once![0]!.id
    b.desk.onTold({ time: "t", kind: "once-used", once: id })
    await b.desk.decider.inTurn(async () => undefined)
    expect(b.desk.decider.policy.once).toBeUndefined()
    expect(audited(b).map(({ operator_action }) => operator_action)).toEqual(["approve", "once-used"])
  })

  test("is taken back by its number in the audit, and what came after it stays", async () => {
    const b = await bench()
    await approve(b.desk, await propose(b.desk, "host: one.test"))
    await approve(b.desk, await propose(b.desk, "host: two.test"))
    const { outcome } = await b.desk.answer({ op: "undo", seq: 1, by: "op" })
    expect(outcome).toMatchObject({ kind: "done", status: "undone", seq: 3 })
    expect(b.supervisor.inForce.routes.map(({ host }) => host)).toEqual(["two.test"])
    expect((await b.desk.answer({ op: "undo", seq: 1, by: "op" })).outcome).toMatchObject({ kind: "refused" })
  })

  test("of a host on the allowlist adds a line, and nothing the second time", async () => {
    const b = await bench(known)
    const id = await propose(b.desk, "https://cdn.test/lib.js?x=1", "pipelock-block")
    expect((await view(b.desk, id)).adds).toContain("path is not enforced")
    expect(await approve(b.desk, id, { scope: { kind: "once" } })).toMatchObject({ kind: "refused" })
    expect(await approve(b.desk, id)).toMatchObject({ kind: "done" })
    expect(b.supervisor.inForce.allowlist).toEqual(["listed.test", "cdn.test"])
  })

  test("modified is what the operator wrote, with a note that says so", async () => {
    const b = await bench()
    const id = await propose(b.desk, "host: new.test")
    const text = "host: new.test\npath_allowlist: [/only]"
    expect(await approve(b.desk, id, { text: "host: [" })).toMatchObject({ kind: "refused" })
    expect(await approve(b.desk, id, { text, notes: "narrower" })).toMatchObject({ kind: "done", status: "modified" })
    expect(b.supervisor.told[0]).toMatchObject({
      status: "modified",
      notes: "operator modified before approving; narrower",
    })
    expect(b.supervisor.told[0]?.final_file).toContain("path_allowlist: [/only]")
  })
})

describe("an agent", () => {
  test("that asks for the same twice has one proposal", async () => {
    const b = await bench()
    const [one, two] = await Promise.all([propose(b.desk, "host: new.test"), propose(b.desk, "host: 'NEW.test.'")])
    expect(one).toBe(two)
  })

  test.each([
    ["host: listed.test", "permitted already"],
    ["host: api.test\nconnect_to: 127.0.0.1:80", "cannot ask for it"],
    ["host: api.test\nca: /etc/passwd", "cannot ask for it"],
    ["host: x.test\nauth: {scheme: Bearer, token_ref: AWS_SECRET_ACCESS_KEY}", "not a slot of this bottle's file"],
    ["host: x.test\nauth: {scheme: Bearer, token_ref: PATH}", "not a slot of this bottle's file"],
    ["host: '*'", "every host at once"],
    ["- host: x.test", "expected"],
    ["host: x.test\nhost: y.test", "written twice"],
    ["{{{{", "line 1"],
  ])("is refused %j: %s", async (text, why) => {
    const b = await bench(known)
    const result = await b.desk.onCall({ op: "propose", tool: "egress-block", proposed_file: text, justification: "x" })
    expect(result.kind).toBe("refused")
    expect((result as { message: string }).message).toContain(why)
    expect(readdirSync(queueDir(b))).toEqual(["archive"])
  })

  test.each([
    ["https://api.test/x", "has a route"],
    ["http://x.test/", "https on port 443"],
    ["https://x.test:8443/", "https on port 443"],
    ["https://user@x.test/", "expected the URL"],
    ["javascript:alert(1)", "expected the URL"],
    ["https://a_b.test/", "underscore"],
  ])("is refused the host of %s: %s", async (text, why) => {
    const b = await bench(known)
    await expect(propose(b.desk, text, "pipelock-block")).rejects.toThrow(why)
  })

  test("may have so many open, and the operator hears of more once", async () => {
    const b = await bench()
    for (let at = 0; at < 20; at++) await propose(b.desk, `host: h${at}.test`)
    for (let at = 20; at < 120; at++) await expect(propose(b.desk, `host: h${at}.test`)).rejects.toThrow("20 proposals")
    expect(b.logged).toHaveLength(1)
    expect(b.desk.queue.open()).toHaveLength(20)
    const [said, ...more] = listProposals(b.paths, undefined, false).warnings
    expect([said, more]).toEqual([expect.stringContaining("is over its limit since 2040-01-02"), []])
    const stop = new AbortController()
    const events: string[] = []
    for await (const event of watchProposals(b.paths, undefined, stop.signal)) {
      events.push(event.event)
      if (event.event === "flood") stop.abort()
    }
    expect(events).toEqual([...Array(20).fill("open"), "flood"])
    b.clock.now = new Date(b.clock.now.getTime() + 3_600_000)
    const [first] = b.desk.queue.open()
    await reject(b.desk, first?.id ?? "", "enough")
    await propose(b.desk, "host: later.test")
    expect(listProposals(b.paths, undefined, false).warnings).toEqual([])
  })

  test.each(["../../audit/x", "p../../../etc", "P123456789a", "", "p123456789a\n"])("cannot name %j", async (id) => {
    const b = await bench()
    expect(await b.desk.onCall({ op: "proposal-status", id })).toMatchObject({ kind: "refused" })
    expect((await b.desk.answer({ op: "proposal", id, save: false })).outcome).toEqual({ kind: "unknown" })
  })
})

test("a rejection changes nothing, and its reason reaches the agent", async () => {
  const b = await bench()
  const id = await propose(b.desk, "host: new.test")
  expect(await reject(b.desk, id, " ")).toMatchObject({ kind: "refused" })
  expect(await reject(b.desk, id, "use the mirror")).toMatchObject({ kind: "done", status: "rejected" })
  expect(b.supervisor.told).toEqual([{ proposal_id: id, status: "rejected", notes: "use the mirror", final_file: "" }])
  expect(b.supervisor.inForce.routes).toEqual([])
})

test("an operator's edit keeps what is beneath it apart: a timed approval still ends, an undo gives all back", async () => {
  const b = await bench(known)
  await approve(b.desk, await propose(b.desk, "host: timed.test"), { scope: { kind: "for", seconds: 60 } })
  const { policy } = await b.desk.answer({ op: "policy" })
  const text = policy!.routes.replace("host: api.test", "host: api.test\n  port: 8443")
  const edit = (of: string) => b.desk.answer({ op: "edit", what: "routes", text, hash: of, by: "op" })
  expect((await edit("0".repeat(64))).outcome).toEqual({ kind: "stale" })
  const same = {
    op: "edit" as const,
    what: "allowlist" as const,
    text: "LISTED.test # mine",
    hash: policy!.hash,
    by: "op",
  }
  expect((await b.desk.answer(same)).outcome).toEqual({ kind: "unchanged" })
  expect((await edit(policy!.hash)).outcome).toMatchObject({ kind: "refused", why: expect.stringContaining("SLOT") })
  b.plan.slots = ["SLOT"]
  expect((await edit(policy!.hash)).outcome).toMatchObject({ kind: "done", seq: 2 })
  expect(b.supervisor.inForce.routes.map(({ port, host }) => `${host}:${port}`)).toEqual([
    "timed.test:443",
    "api.test:8443",
  ])
  expect(b.supervisor.later[0]?.policy.routes.map(({ host }) => host)).toEqual(["api.test"])
  await b.desk.answer({ op: "undo", seq: 2, by: "op" })
  expect(b.supervisor.inForce.routes.map(({ port, host }) => `${host}:${port}`)).toEqual([
    "api.test:443",
    "timed.test:443",
  ])
})

test("the end answers what is open, a resume offers it again under the same id, and approvals end with the bottle", async () => {
  const b = await bench()
  await approve(b.desk, await propose(b.desk, "host: approved.test"))
  const id = await propose(b.desk, "host: open.test")
  await b.desk.close("it was stopped")
  expect(await b.desk.onCall({ op: "proposal-status", id })).toMatchObject({
    kind: "decided",
    response: { status: "expired", notes: "the bottle ended: it was stopped" },
  })
  const next = await b.next()
  await next.begin(true)
  expect(next.queue.open().map((one) => one.id)).toEqual([id])
  expect(next.decider.policy.routes).toEqual([])
})

test("a file of the queue that is broken is set aside and hides nothing", async () => {
  const b = await bench()
  const id = await propose(b.desk, "host: new.test")
  writeFileSync(join(queueDir(b), "p0000000000.proposal.json"), "{")
  writeFileSync(join(queueDir(b), "p0000000001.proposal.json"), JSON.stringify({ schemaVersion: 1, id }))
  expect(b.desk.queue.open().map((one) => one.id)).toEqual([id])
  expect(readdirSync(queueDir(b)).filter((name) => name.includes(".broken-"))).toHaveLength(2)
  expect(b.logged).toHaveLength(2)
})
