import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { exchange, post, toolCall } from "../../support/supervise/besieged.ts"
import { type Lab, startLab } from "../../support/supervise/lab.ts"

describe("a client that lets supervise wait", () => {
  let lab: Lab
  /** For exchanges that must come to their end, on a busy machine too. */
  let calm: Lab
  beforeAll(async () => {
    lab = await startLab({}, { headTime: 100, bodyTime: 100, idleTime: 100 })
    calm = await startLab({}, { idleTime: 500, progressTime: 150 })
  })
  afterAll(async () => {
    await lab.close()
    await calm.close()
  })

  const head = "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
  // Without an end each of these would wait for this test's own.
  test.each([
    ["says nothing", ""],
    ["never ends its head", head],
    ["never ends its body", `${head}\r\nabc`],
    ["never ends a chunk", "POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"],
    ["asks nothing more", "GET /mcp HTTP/1.1\r\nHost: a\r\n\r\n"],
  ])("is left when it %s", async (_, bytes) => {
    await exchange(lab.socket, bytes)
    expect(lab.asked).toEqual([])
  })

  test("is not left while it waits for the operator, and sees signs of life without asking for them", async () => {
    const call = post(toolCall("egress-block", { host: "a.example", justification: "x" }))
    const answer = await exchange(calm.socket, call, /(?:: keepalive\n\n[\s\S]*){4}/)
    expect(answer).toStartWith("HTTP/1.1 200 OK\r\n")
    expect(answer.match(/: keepalive/g)?.length).toBeGreaterThanOrEqual(4)
  })

  test("who asks before it sends is told to go on", async () => {
    const call = post(toolCall("list-egress-routes", {}), ["Expect: 100-continue", "Connection: close"])
    expect(await exchange(calm.socket, call)).toStartWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
  })
})
