import { describe, expect, test } from "bun:test"
import type { FromSupervisor } from "../../../../sidecars/control.ts"
import { EventSpool } from "../../../../sidecars/supervisor/spool.ts"

type Sent = Extract<FromSupervisor, { type: "event" }>
const event = (kind: string, more = "") => ({ time: "2026-01-01T00:00:00.000Z", kind, more })
const keeper = () => {
  const got: Sent[] = []
  return { got, send: (message: FromSupervisor) => void got.push(message as Sent) }
}
const kinds = (got: readonly Sent[]) => got.map((message) => message.event.kind)

describe("events on their way to the keeper", () => {
  test("wait for one", () => {
    const spool = new EventSpool()
    spool.push("egress", event("a"))
    const { got, send } = keeper()
    spool.attach(send)
    spool.push("egress", event("b"))
    expect(got.map(({ n }) => n)).toEqual([1, 2])
  })

  test("are sent again to the next keeper until one has confirmed them", () => {
    const spool = new EventSpool()
    const first = keeper()
    spool.attach(first.send)
    for (const kind of ["a", "b", "c"]) spool.push("egress", event(kind))
    spool.confirm(1)
    spool.detach()
    spool.push("egress", event("d"))
    const second = keeper()
    spool.attach(second.send)
    expect(kinds(first.got)).toEqual(["a", "b", "c"])
    expect(kinds(second.got)).toEqual(["b", "c", "d"])
  })

  test("do not pile up before a keeper that does not confirm, and all come when it does", () => {
    const spool = new EventSpool()
    const { got, send } = keeper()
    spool.attach(send)
    for (let at = 0; at < 100; at++) spool.push("egress", event(String(at), "x".repeat(100_000)))
    expect(got.length).toBeLessThan(15)
    while (got.length < 100) spool.confirm(got.at(-1)?.n ?? 0)
    expect(kinds(got)).toEqual(Array.from({ length: 100 }, (_, at) => String(at)))
  })

  test("that do not fit any more are counted, and the count is said", () => {
    const spool = new EventSpool()
    for (let at = 0; at < 20_010; at++) spool.push("egress", event("e"))
    const { got, send } = keeper()
    spool.attach(send)
    while (!kinds(got).includes("events-lost")) spool.confirm(got.at(-1)?.n ?? 0)
    expect(got.at(-1)?.event).toMatchObject({ kind: "events-lost", count: 10 })
  })

  test("are all told when they were sent to the keeper that is there, whatever comes after", async () => {
    const spool = new EventSpool()
    const { got, send } = keeper()
    for (let at = 0; at < 30; at++) spool.push("egress", event(String(at), "x".repeat(100_000)))
    let isTold = false
    const told = spool.told().then(() => {
      isTold = true
    })
    spool.push("egress", event("later", "x".repeat(1_200_000)))
    spool.push("egress", event("latest"))
    await Bun.sleep(0)
    expect(isTold).toBe(false)
    spool.attach(send)
    while (got.length < 30) {
      await Bun.sleep(0)
      expect(isTold).toBe(false)
      spool.confirm(got.at(-1)?.n ?? 0)
    }
    await told
    expect(kinds(got)).not.toContain("latest")
  })
})
