import { describe, expect, test } from "bun:test"
import type { CallResult, FromSupervisor } from "../../../../sidecars/control.ts"
import { CallBook } from "../../../../sidecars/supervisor/call-book.ts"

const request = { op: "list-egress-routes" } as const
const result: CallResult = { kind: "routes", text: "routes: []\n" }
const book = () => {
  const answers: [string, CallResult][] = []
  return { answers, calls: new CallBook((_sidecar, call, answer) => void answers.push([call, answer])) }
}
const keeper = () => {
  const got: string[] = []
  return { got, send: (message: FromSupervisor) => void got.push(message.type === "call" ? message.call : "?") }
}

describe("what a sidecar asks", () => {
  test("is asked of the keeper there is, and answered once", () => {
    const { answers, calls } = book()
    const { got, send } = keeper()
    calls.attach(send)
    calls.ask("supervise", "a", request)
    calls.answered("supervise", "a", result)
    calls.answered("supervise", "a", result)
    expect(got).toEqual(["a"])
    expect(answers).toEqual([["a", result]])
  })

  test("is asked again of the next keeper while it is open", () => {
    const { calls } = book()
    const [first, second] = [keeper(), keeper()]
    calls.attach(first.send)
    for (const call of ["a", "b"]) calls.ask("supervise", call, request)
    calls.answered("supervise", "a", result)
    calls.detach()
    calls.ask("supervise", "c", request)
    calls.attach(second.send)
    expect(second.got).toEqual(["b", "c"])
  })

  test("is forgotten with the process that asked", () => {
    const { answers, calls } = book()
    const { got, send } = keeper()
    calls.ask("supervise", "a", request)
    calls.ask("forge", "a", request)
    calls.forget("supervise")
    calls.attach(send)
    calls.answered("supervise", "a", result)
    expect(got).toEqual(["a"])
    expect(answers).toEqual([])
  })

  test("is refused at once beyond what may wait", () => {
    const { answers, calls } = book()
    for (let at = 0; at < 300; at += 1) calls.ask("supervise", String(at), request)
    expect(answers.length).toBe(300 - 256)
    expect(answers[0]?.[1]).toMatchObject({ kind: "refused" })
  })
})
