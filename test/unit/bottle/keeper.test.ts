import { describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Journal } from "../../../src/bottle/keeper/control/journal.ts"
import { SidecarBook } from "../../../src/bottle/keeper/control/sidecar-book.ts"
import { isKeeperAlive, readWhereabouts, recordKeeper } from "../../../src/bottle/keeper/whereabouts.ts"
import { StateDir } from "../../../src/bottle/state.ts"
import { callAt } from "../../../src/lib/call-at.ts"
import { lockFile } from "../../../src/lib/kernel.ts"
import { withoutQueue } from "../../support/supervise/without-queue.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

const root = tempDir("keeper")
let made = 0
function newState(): StateDir {
  const state = new StateDir(join(root, `s${made++}`))
  state.create()
  return state
}

describe("a keeper's record", () => {
  test("tells a living keeper from one whose number another process has", () => {
    const { path } = newState()
    recordKeeper(path, "/s", "keeping")
    const where = readWhereabouts(path)
    expect(where).toMatchObject({ pid: process.pid, phase: "keeping" })
    expect(where && isKeeperAlive(where)).toBe(true)
    expect(where && isKeeperAlive({ ...where, startTime: "1" })).toBe(false)
  })

  for (const text of [
    "",
    "{",
    "[]",
    '{"pid":1,"startTime":"1","socket":"/s"}',
    '{"pid":"9","startTime":"1","socket":""}',
  ]) {
    test(`that is damaged is none: ${JSON.stringify(text)}`, () => {
      const { path } = newState()
      writeFileSync(join(path, "keeper.json"), text)
      expect(readWhereabouts(path)).toBeUndefined()
    })
  }
})

test("a lock is for one, until it is released", () => {
  const path = join(root, "lock")
  const first = lockFile(path)
  expect(lockFile(path)).toBeUndefined()
  first?.release()
  expect(lockFile(path)).toBeDefined()
})

describe("a journal", () => {
  test("says once that it cannot write, and throws nothing", () => {
    const failures: Error[] = []
    const journal = new Journal(new StateDir(join(root, "not-there")), (error) => failures.push(error))
    for (let at = 0; at < 3; at++) journal.egress("{}", false)
    journal.log("sidecars", "x")
    expect(failures).toHaveLength(1)
  })

  test("that has grown large keeps refusals longer than requests", () => {
    const state = newState()
    mkdirSync(join(state.path, "egress"), { recursive: true })
    writeFileSync(join(state.path, "egress/egress.jsonl"), "x".repeat(64 * 1024 ** 2 + 1))
    const journal = new Journal(state, () => undefined)
    journal.egress("request", false)
    journal.egress("refusal", true)
    expect(state.egressLog().slice(-10)).toEndWith("refusal\n")
    expect(state.egressLog()).not.toContain("request")
  })
})

test("a new keeper counts what the last one wrote, and writes nothing twice", () => {
  const state = newState()
  const journal = new Journal(state, () => undefined)
  const refused = { time: "t", kind: "refused", host: "a.example" }
  const calls = withoutQueue(() => ({ routes: [], allowlist: [], log: 0, supervise: false }))
  new SidecarBook(journal, state.egressLog(), calls).onEvent("egress", refused, 7)
  const next = new SidecarBook(journal, state.egressLog(), calls)
  expect(next.refused).toBe(1)
  next.onEvent("egress", refused, 7)
  next.onEvent("egress", { ...refused, host: "b.example" }, 8)
  expect(next.refused).toBe(2)
  // Over a second stream, since the first broke before the supervisor had heard of it.
  next.onEvent("egress", { ...refused, host: "b.example" }, 8)
  next.onEvent("egress", { ...refused, host: "b.example" }, 9)
  expect(next.refused).toBe(3)
  expect(state.egressLog().trim().split("\n")).toHaveLength(3)
})

test("only egress that is down degrades a bottle: without supervise the agent can only not ask", () => {
  const state = newState()
  const calls = withoutQueue(() => ({ routes: [], allowlist: [], log: 0, supervise: true }))
  const book = new SidecarBook(new Journal(state, () => undefined), "", calls)
  const up = { name: "egress", state: "up", pid: 1, restarts: 0, policyHash: "" } as const
  book.take([up, { ...up, name: "supervise", state: "restarting" }])
  expect(book.degraded).toBe(false)
  book.onState({ ...up, state: "restarting" })
  expect(book.degraded).toBe(true)
})

test("a time that is further away than a timer can be set does not come at once", async () => {
  let called = 0
  const off = callAt(Date.now() + 2 ** 40, () => (called += 1))
  callAt(Date.now() - 1, () => (called += 10))
  await waitFor("the past one", () => called === 10)
  off()
})
