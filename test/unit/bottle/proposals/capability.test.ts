import { describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { approvedImage } from "../../../../src/bottle/approved-image.ts"
import { imageOrderFor } from "../../../../src/bottle/image-order.ts"
import { putBackImage } from "../../../../src/bottle/keeper/proposals/image/put-back.ts"
import type { Plan } from "../../../../src/bottle/plan-types.ts"
import { StateDir } from "../../../../src/bottle/state.ts"
import { BottleError } from "../../../../src/lib/errors.ts"
import { approve, type Bench, makeBench, propose, reject, view } from "../../../support/proposals/desk.ts"
import { tempDir } from "../../../support/temp.ts"

const home = tempDir("capability")
let made = 0
const today = "FROM base:1\nRUN echo one\n"
const build = { name: "dev", origin: "./Dockerfile", dockerfile: today, args: {} }
const withImage = { docker: { build } } as Partial<Plan>
const bench = (plan: Partial<Plan> = withImage) => makeBench(join(home, `h${made++}`), undefined, { plan })
const wanted = `${today}RUN echo two\n`

const own = ({ paths, plan }: Bench) => join(paths.state(plan.slug), "Dockerfile")
const ownText = (b: Bench) => (existsSync(own(b)) ? readFileSync(own(b), "utf8") : undefined)
const stateOf = ({ paths, plan }: Bench) => new StateDir(paths.state(plan.slug))
const audited = ({ paths, plan }: Bench) => {
  const file = join(paths.audit, `${plan.slug}.jsonl`)
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : []
}
const undo = async (b: Bench, seq: number) => (await b.desk.answer({ op: "undo", seq, by: "op" })).outcome
const wish = { template: "dev", own: today, bottle: { names: ["dev"], docker: {}, provider: {} } } as never

describe("an approved Dockerfile", () => {
  test("is written, on record, answered and archived, and marks the bottle to end", async () => {
    const b = await bench()
    const id = await propose(b.desk, wanted, "capability-block", "I need two")
    const seen = await view(b.desk, id)
    expect(seen.findings).toEqual([{ kind: "run", weight: "caution", text: "line 3: RUN echo two" }])
    expect(seen.diff).toContain("+RUN echo two")
    const outcome = await approve(b.desk, id)
    expect(outcome).toMatchObject({ kind: "done", status: "approved", seq: 1 })
    expect(outcome).toMatchObject({ applied: { resume: `bottle resume ${b.plan.slug}` } })
    expect(ownText(b)).toBe(wanted)
    expect(stateOf(b).reasons).toEqual(["line 1 of its audit changed its image"])
    const [entry] = audited(b)
    expect(entry).toMatchObject({ component: "capability", operator_action: "approve", justification: "I need two" })
    expect(entry.diff).toContain("+RUN echo two")
    expect(entry.detail).toMatchObject({ proposal: id, build_network: false })
    expect(b.supervisor.told).toMatchObject([{ proposal_id: id, status: "approved", final_file: wanted }])
    expect(b.desk.queue.find(id)).toBeUndefined()
    const order = await imageOrderFor(wish, { ...b.paths }, b.plan.slug)
    expect(order).toMatchObject({ dockerfile: wanted, confined: { bases: ["base:1"], network: false } })
  })

  test("has the network only that its operator chose, for exactly that text", async () => {
    const b = await bench()
    const id = await propose(b.desk, wanted, "capability-block")
    const { view: seen } = await b.desk.answer({ op: "proposal", id, save: false, network: true })
    expect(seen?.findings.map(({ kind, weight }) => [kind, weight])).toEqual([
      ["build-network", "danger"],
      ["run", "caution"],
    ])
    await approve(b.desk, id, { network: true })
    expect(audited(b)[0].detail).toMatchObject({ build_network: true })
    const order = () => imageOrderFor(wish, { ...b.paths }, b.plan.slug)
    expect((await order())?.confined?.network).toBe(true)
    writeFileSync(own(b), `${wanted}RUN echo three\n`)
    expect((await order())?.confined?.network).toBe(false)
  })

  test("of the operator's is judged and shown as the agent's was", async () => {
    const b = await bench()
    const id = await propose(b.desk, wanted, "capability-block")
    const mine = `${today}RUN echo mine\n`
    const { view: seen } = await b.desk.answer({ op: "proposal", id, save: false, text: mine })
    expect(seen?.findings.map(({ text }) => text)).toEqual(["line 3: RUN echo mine"])
    const { view: bad } = await b.desk.answer({ op: "proposal", id, save: false, text: "FROM other:1\n" })
    expect(bad?.cannot).toContain("other:1, which is not a declared base")
    expect(await approve(b.desk, id, { text: "FROM other:1\n" })).toMatchObject({ kind: "refused" })
    expect([ownText(b), stateOf(b).rest]).toEqual([undefined, undefined])
    expect(await approve(b.desk, id, { text: mine })).toMatchObject({ status: "modified" })
    expect([ownText(b), b.supervisor.told[0]?.final_file]).toEqual([mine, mine])
  })

  test("that is the one of today stops nothing", async () => {
    const b = await bench()
    const id = await propose(b.desk, wanted, "capability-block")
    const outcome = await approve(b.desk, id, { text: today })
    expect(outcome).toMatchObject({ kind: "done", applied: { diff: "" } })
    expect([ownText(b), stateOf(b).rest]).toEqual([undefined, undefined])
    await expect(propose(b.desk, today, "capability-block")).rejects.toThrow("made from exactly this")
  })

  test("is refused with a scope, and where there are no images before anything stops", async () => {
    const b = await bench()
    const id = await propose(b.desk, wanted, "capability-block")
    for (const scope of [{ kind: "once" }, { kind: "for", seconds: 60 }, { kind: "save" }] as const)
      expect(await approve(b.desk, id, { scope })).toMatchObject({ kind: "refused" })
    const none = await bench({})
    await expect(propose(none.desk, wanted, "capability-block")).rejects.toThrow("not changed by proposals")
    const file = readFileSync(join(b.paths.queue, b.plan.slug, `${id}.proposal.json`), "utf8")
    mkdirSync(join(none.paths.queue, none.plan.slug), { recursive: true })
    writeFileSync(join(none.paths.queue, none.plan.slug, `${id}.proposal.json`), file)
    expect((await view(none.desk, id)).cannot).toContain("not changed by proposals")
    expect(await approve(none.desk, id)).toMatchObject({ kind: "refused" })
    expect([ownText(none), stateOf(none).rest]).toEqual([undefined, undefined])
    expect(await reject(none.desk, id, "no images here")).toMatchObject({ kind: "done", status: "rejected" })
  })

  test("whose record cannot be written is taken back, and the proposal stays open", async () => {
    const broken = { append: async () => Promise.reject(new Error("disk full")) }
    const b = await makeBench(join(home, `h${made++}`), undefined, { plan: withImage, audit: broken as never })
    const id = await propose(b.desk, wanted, "capability-block")
    expect(await approve(b.desk, id)).toMatchObject({ kind: "failed", why: "disk full" })
    expect([ownText(b), stateOf(b).rest, b.desk.queue.find(id)?.id]).toEqual([undefined, undefined, id])
  })

  test("--network with a route is refused", async () => {
    const b = await bench()
    const id = await propose(b.desk, "host: new.test")
    expect(await approve(b.desk, id, { network: true })).toMatchObject({ kind: "refused" })
  })
})

describe("an undo", () => {
  test("puts back what stood there before, the last change first", async () => {
    const b = await bench()
    await approve(b.desk, await propose(b.desk, wanted, "capability-block"))
    stateOf(b).unpreserve()
    const more = `${wanted}RUN echo three\n`
    await approve(b.desk, await propose(b.desk, more, "capability-block"), { network: true })
    expect(await undo(b, 1)).toMatchObject({
      kind: "refused",
      hint: `take that back first: bottle undo 2 ${b.plan.slug}`,
    })
    expect(stateOf(b).approvals).toEqual([1, 2])
    expect(await undo(b, 2)).toMatchObject({ status: "undone", seq: 3 })
    expect(ownText(b)).toBe(wanted)
    expect(approvedImage(b.paths.state(b.plan.slug))).toMatchObject({ seq: 1, network: false })
    expect(await undo(b, 1)).toMatchObject({ status: "undone", seq: 4 })
    expect([ownText(b), stateOf(b).approvals]).toEqual([undefined, []])
    expect(audited(b).map(({ operator_action }) => operator_action)).toEqual(["approve", "approve", "undo", "undo"])
    expect(audited(b)[3].diff).toContain("-RUN echo two")
  })

  test("leaves a Dockerfile alone that somebody changed by hand", async () => {
    const b = await bench()
    await approve(b.desk, await propose(b.desk, wanted, "capability-block"))
    writeFileSync(own(b), "FROM base:1\n")
    expect(await undo(b, 1)).toMatchObject({ kind: "refused" })
    expect(ownText(b)).toBe("FROM base:1\n")
  })
})

describe("an approved Dockerfile that cannot be built", () => {
  const failure = (code: string) => new BottleError("step 2 failed", { code, exit: "failed", hint: "look" })
  const put = async (b: Bench, code: string) => {
    return (await putBackImage({ ...b, state: stateOf(b), audit: b.audit as never }, failure(code))) as BottleError
  }

  test("gives way to what stood there before, with a line on record", async () => {
    const b = await bench()
    await approve(b.desk, await propose(b.desk, wanted, "capability-block"))
    const error = await put(b, "docker-build")
    expect(error.message).toBe("step 2 failed; the Dockerfile is removed, as there was none before")
    expect(error.hint).toBe(`bottle resume ${b.plan.slug} goes on with the image of before`)
    expect([ownText(b), stateOf(b).approvals]).toEqual([undefined, []])
    expect(audited(b).at(-1)).toMatchObject({
      operator_action: "put-back",
      detail: { undone: 1, why: "step 2 failed" },
    })
  })

  test("stays where the machine is at fault, and it is said how to go on without it", async () => {
    const b = await bench()
    await approve(b.desk, await propose(b.desk, wanted, "capability-block"))
    const error = await put(b, "docker-engine")
    expect(error.hint).toBe(`look; to go on with the image of before: bottle undo 1 ${b.plan.slug}`)
    expect(ownText(b)).toBe(wanted)
  })
})
