import { describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { readOwnDockerfile } from "../../src/bottle/approved-image.ts"
import type { ProposalDesk } from "../../src/bottle/keeper/proposals/desk.ts"
import { StateDir } from "../../src/bottle/state.ts"
import { hashPolicy } from "../../src/policy/hash.ts"
import type { Scope } from "../../src/proposals/types.ts"
import { approve, emptyPolicy, type FakeSupervisor, propose, reject } from "../support/proposals/desk.ts"
import { auditOf, bottleText, build, copyOf, Killable, prepareHome, slug } from "../support/proposals/kill.ts"
import { tempDir } from "../support/temp.ts"

/**
 * Acceptance: a keeper is killed before and after every write, fsync, rename, unlink and control message of what it does
 * about a proposal, and the next one goes on. Nothing is applied twice, nothing is lost, no answer is without effect,
 * and the audit verifies.
 */

const root = tempDir("kills")
const never = Number.POSITIVE_INFINITY

interface Deed {
  name: string
  act(desk: ProposalDesk, id: string): Promise<unknown>
  /** Hosts in force when it is done. */
  hosts: string[]
  /** What the audit says of it. */
  action: string
  saved?: boolean
}

const approving = (name: string, scope: Scope): Deed => ({
  name,
  act: (desk, id) => approve(desk, id, { scope }),
  hosts: ["new.test"],
  action: "approve",
  ...(scope.kind === "save" ? { saved: true } : {}),
})

const deeds: Deed[] = [
  approving("an approval", { kind: "session" }),
  approving("an approval for a while", { kind: "for", seconds: 3600 }),
  approving("an approval for one request", { kind: "once" }),
  approving("an approval that is saved", { kind: "save" }),
  { name: "a rejection", act: (desk, id) => reject(desk, id, "no"), hosts: [], action: "reject" },
]

let made = 0
const freshHome = () => join(root, `h${made++}`)
const inForce = (supervisor: FakeSupervisor) => ({ policy: supervisor.inForce, usedOnce: [...supervisor.usedOnce] })
const hostsOf = ({ inForce: { routes, once = [] } }: FakeSupervisor) =>
  [...routes, ...once.map(({ route }) => route)].map(({ host }) => host)

/** How many steps a deed takes when nobody kills it. */
async function stepsOf(deed: Deed): Promise<string[]> {
  const home = freshHome()
  const { id, supervisor } = await prepareHome(home)
  const keeper = await Killable.open(home, supervisor, never)
  const from = keeper.steps.length
  await deed.act(keeper.desk, id)
  return keeper.steps.slice(from)
}

/** Kill one at a step of the deed; undefined: it lived. */
async function killAt(deed: Deed, at: number): Promise<{ home: string; id: string; supervisor: FakeSupervisor }> {
  const home = freshHome()
  const { id, supervisor } = await prepareHome(home)
  const opening = await Killable.open(home, supervisor, never)
  const keeper = await Killable.open(home, supervisor, opening.steps.length + at)
  const done = deed.act(keeper.desk, id).then(() => undefined)
  await Promise.race([done, keeper.killed.promise])
  const copy = freshHome()
  return { home: copy, id, supervisor: copyOf(home, copy, supervisor) }
}

async function judge(deed: Deed, where: string, home: string, id: string, supervisor: FakeSupervisor) {
  const keeper = await Killable.open(home, supervisor, never)
  await keeper.desk.takeOver(inForce(supervisor))
  let decided = keeper.desk.queue.answer(id) !== undefined
  const entries = (await auditOf(home)).filter(({ operator_action }) => operator_action === deed.action)
  const told = supervisor.told.filter(({ proposal_id }) => proposal_id === id)
  expect({ where, open: keeper.desk.queue.find(id) !== undefined }).toEqual({ where, open: !decided })
  expect({ where, entries: entries.length, hosts: hostsOf(supervisor) }).toEqual({
    where,
    entries: decided ? 1 : 0,
    hosts: decided ? deed.hosts : [],
  })
  if (!decided) expect({ where, told: told.length }).toEqual({ where, told: 0 })
  expect(hashPolicy(keeper.desk.decider.policy)).toBe(hashPolicy(supervisor.inForce))
  const text = readFileSync(join(home, "bottles", "dev.md"), "utf8")
  const times = text.split("host: new.test").length - 1
  expect({ where, times }).toEqual({ where, times: decided && deed.saved ? 1 : 0 })
  expect(text.replace(/ {4}- host: new\.test\n/, "")).toBe(bottleText)
  // What was taken back can be decided again, and the keeper goes on as if nothing had been.
  if (!decided) await deed.act(keeper.desk, id)
  decided = keeper.desk.queue.answer(id) !== undefined
  expect({ where, decided, hosts: hostsOf(supervisor) }).toEqual({ where, decided: true, hosts: deed.hosts })
  expect((await auditOf(home)).filter(({ operator_action }) => operator_action === deed.action)).toHaveLength(1)
  return entries.length
}

for (const deed of deeds) {
  test(`${deed.name}, killed at every step, is done once or not at all`, async () => {
    const steps = await stepsOf(deed)
    let finished = 0
    for (let at = 0; at < steps.length; at++) {
      const { home, id, supervisor } = await killAt(deed, at)
      finished += await judge(deed, `${deed.name}, ${at}: ${steps[at]}`, home, id, supervisor)
    }
    console.log(`${deed.name}: killed at ${steps.length} places, ${finished} finished, the rest taken back`)
    expect(steps.length).toBeGreaterThan(20)
    expect(finished).toBeGreaterThan(0)
    if (deed.action === "approve") expect(finished).toBeLessThan(steps.length)
  }, 300_000)
}

test("a keeper that is killed while it takes over is as good as none: the next one ends the same", async () => {
  const [deed] = deeds
  const steps = await stepsOf(deed!)
  let tried = 0
  for (let at = 0; at < steps.length; at += 5) {
    const first = await killAt(deed!, at)
    const whole = freshHome()
    const probe = await Killable.open(whole, copyOf(first.home, whole, first.supervisor), never)
    const from = probe.steps.length
    await probe.desk.takeOver(inForce(probe.supervisor))
    for (let again = 0; again < probe.steps.length; again += 3) {
      const home = freshHome()
      const supervisor = copyOf(first.home, home, first.supervisor)
      // One that is killed while it opens the queue has no desk yet.
      const opened = Killable.open(home, supervisor, Math.max(from, again))
      const keeper = await opened
      await Promise.race([keeper.desk.takeOver(inForce(supervisor)), keeper.killed.promise])
      const last = freshHome()
      await judge(deed!, `${at} then ${again}`, last, first.id, copyOf(home, last, supervisor))
      tried += 1
    }
  }
  console.log(`killed again while taking over: ${tried} times`)
  expect(tried).toBeGreaterThan(50)
}, 300_000)

test("a proposal, killed at every step of being taken, is there whole or not at all, and the call joins it", async () => {
  const home = freshHome()
  const { supervisor } = await prepareHome(home)
  const keeper = await Killable.open(home, supervisor, never)
  const from = keeper.steps.length
  await propose(keeper.desk, "host: more.test")
  const count = keeper.steps.length - from
  for (let at = 0; at < count; at++) {
    const own = freshHome()
    const made = await prepareHome(own)
    const killed = await Killable.open(own, made.supervisor, from + at)
    await Promise.race([propose(killed.desk, "host: more.test"), killed.killed.promise])
    const copy = freshHome()
    const next = await Killable.open(copy, copyOf(own, copy, made.supervisor), never)
    // The sidecar asks the next keeper again.
    await propose(next.desk, "host: more.test")
    expect(
      next.desk.queue
        .open()
        .map(({ proposed_file }) => proposed_file.trim())
        .sort(),
    ).toEqual(["host: more.test", "host: new.test"])
  }
  console.log(`a proposal: killed at ${count} places`)
  expect(count).toBeGreaterThan(7)
})

test("an undo, killed at every step, is done or not, and then can be", async () => {
  const prepare = async () => {
    const home = freshHome()
    const { id, supervisor } = await prepareHome(home)
    const { desk } = await Killable.open(home, supervisor, never)
    await approve(desk, id)
    // The one that approved still holds its log.
    const copy = freshHome()
    return { home: copy, supervisor: copyOf(home, copy, supervisor) }
  }
  const undo = (desk: ProposalDesk) => desk.answer({ op: "undo", seq: 1, by: "op" })
  const probe = await prepare()
  const counted = await Killable.open(probe.home, probe.supervisor, never)
  const from = counted.steps.length
  await undo(counted.desk)
  const count = counted.steps.length - from
  for (let at = 0; at < count; at++) {
    const { home, supervisor } = await prepare()
    const killed = await Killable.open(home, supervisor, from + at)
    await Promise.race([undo(killed.desk), killed.killed.promise])
    const copy = freshHome()
    const left = copyOf(home, copy, supervisor)
    const next = await Killable.open(copy, left, never)
    await next.desk.takeOver(inForce(left))
    const done = (await auditOf(copy)).some(({ operator_action }) => operator_action === "undo")
    expect({ at, hosts: hostsOf(left) }).toEqual({ at, hosts: done ? [] : ["new.test"] })
    await undo(next.desk)
    expect(left.inForce).toEqual(emptyPolicy)
    expect((await auditOf(copy)).map(({ operator_action }) => operator_action)).toEqual(["approve", "undo"])
  }
  console.log(`an undo: killed at ${count} places`)
}, 300_000)

describe("a Dockerfile", () => {
  const wanted = `${build.dockerfile}RUN echo two\n`
  const stateOf = (home: string) => new StateDir(join(home, "state", slug))
  const textOf = (home: string) => readOwnDockerfile(stateOf(home).path)
  const prepare = async () => {
    const home = freshHome()
    return { home, ...(await prepareHome(home, [wanted, "capability-block"])) }
  }
  const actionsOf = async (home: string) => (await auditOf(home)).map(({ operator_action }) => operator_action)
  const killed = async (at: number, act: (desk: ProposalDesk, id: string) => Promise<unknown>, made: Made) => {
    const opening = await Killable.open(made.home, made.supervisor, never)
    const keeper = await Killable.open(made.home, made.supervisor, opening.steps.length + at)
    await Promise.race([act(keeper.desk, made.id), keeper.killed.promise])
    const home = freshHome()
    return { home, id: made.id, supervisor: copyOf(made.home, home, made.supervisor) }
  }
  type Made = { home: string; id: string; supervisor: FakeSupervisor }
  const steps = async (act: (desk: ProposalDesk, id: string) => Promise<unknown>, made: Made) => {
    const keeper = await Killable.open(made.home, made.supervisor, never)
    const from = keeper.steps.length
    await act(keeper.desk, made.id)
    return keeper.steps.slice(from)
  }
  /** Both ways on: a bottle that lives is taken over; one that was to end, or is gone, is closed. */
  const goOn = async (how: "takes over" | "closes", { home, supervisor }: Made) => {
    const { desk } = await Killable.open(home, supervisor, never)
    if (how === "takes over") await desk.takeOver(inForce(supervisor))
    else await desk.close("gone")
    return desk
  }

  for (const how of ["takes over", "closes"] as const) {
    test(`approved, its keeper killed at every step: the next one ${how}, and it is done once or not at all`, async () => {
      const all = await steps((desk, id) => approve(desk, id), await prepare())
      let finished = 0
      for (const [at, step] of all.entries()) {
        const left = await killed(at, (desk, id) => approve(desk, id), await prepare())
        const desk = await goOn(how, left)
        const answer = desk.queue.answer(left.id)
        const done = answer?.status === "approved"
        const where = `${at}: ${step}`
        const { length } = (await actionsOf(left.home)).filter((action) => action === "approve")
        const seen = { text: textOf(left.home), length, changes: desk.image.changes.map(({ seq }) => seq) }
        const wants = done ? { text: wanted, length: 1, changes: [1] } : { text: undefined, length: 0, changes: [] }
        expect({ where, ...seen }).toEqual({ where, ...wants })
        // Whoever takes over knows by the marker that the bottle is to end; without a decision it goes on.
        expect({ where, rest: stateOf(left.home).rest }).toEqual({ where, rest: done ? "stopped" : undefined })
        expect(existsSync(join(left.home, "state", slug, "decision.json"))).toBe(false)
        if (done) finished += 1
        else if (how === "takes over") {
          expect(await approve(desk, left.id)).toMatchObject({ kind: "done" })
          expect(textOf(left.home)).toBe(wanted)
        } else expect(answer).toMatchObject({ status: "expired", ended: true })
      }
      console.log(`a Dockerfile, then one ${how}: killed at ${all.length} places, ${finished} finished`)
      expect(all.length).toBeGreaterThan(30)
      expect(finished).toBeGreaterThan(0)
      expect(finished).toBeLessThan(all.length)
    }, 300_000)
  }

  test("undone, its keeper killed at every step, is undone or not, and then can be", async () => {
    const undo = (desk: ProposalDesk) => desk.answer({ op: "undo", seq: 1, by: "op" })
    const approved = async () => {
      const made = await prepare()
      const { desk } = await Killable.open(made.home, made.supervisor, never)
      await approve(desk, made.id)
      const home = freshHome()
      return { ...made, home, supervisor: copyOf(made.home, home, made.supervisor) }
    }
    const all = await steps(undo, await approved())
    for (const [at, step] of all.entries()) {
      const left = await killed(at, undo, await approved())
      const desk = await goOn("takes over", left)
      const done = (await actionsOf(left.home)).includes("undo")
      expect({ step, at, text: textOf(left.home) }).toEqual({ step, at, text: done ? undefined : wanted })
      await undo(desk)
      expect([textOf(left.home), desk.image.changes]).toEqual([undefined, []])
      expect(await actionsOf(left.home)).toEqual(["approve", "undo"])
    }
    console.log(`an undo of a Dockerfile: killed at ${all.length} places`)
  }, 300_000)
})
