import { describe, expect, test } from "bun:test"
import { PassThrough } from "node:stream"
import { holdOpen } from "../../../../src/bottle/keeper/session/hold-open.ts"

describe("a stream that is kept open", () => {
  test("is given to who asks, with all that comes from then on", async () => {
    const stream = new PassThrough()
    const take = holdOpen(stream)
    expect(take()).toBe(stream)
    stream.write("later")
    const [chunk] = await stream.take(1).toArray()
    expect(String(chunk)).toBe("later")
  })

  test.each([
    ["ended", (stream: PassThrough) => stream.end()],
    ["said something unasked", (stream: PassThrough) => stream.write("{}")],
    ["broke", (stream: PassThrough) => stream.destroy()],
  ])("is not given when it has %s", async (_, happen) => {
    const stream = new PassThrough()
    const closed = new Promise((resolve) => stream.on("close", resolve))
    const take = holdOpen(stream)
    happen(stream)
    await closed
    expect(take()).toBeUndefined()
  })
})
