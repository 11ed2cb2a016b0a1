import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { parse } from "yaml"
import { routeSchema } from "../../../src/manifest/schema/route.ts"
import { call, idOf, type Lab, startLab } from "../../support/supervise/lab.ts"
import { waitFor } from "../../support/wait.ts"

describe("the agent's tools, by a client of the official SDK", () => {
  let lab: Lab
  let client: Client
  beforeAll(async () => {
    lab = await startLab({}, { progressTime: 50 })
    client = await lab.client()
  })
  afterAll(() => lab.close())
  const lastAsked = () =>
    lab.asked.findLast(({ op }) => op === "propose") as Extract<Lab["asked"][number], { op: "propose" }>

  test("are listed with schemas and words", async () => {
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([
      "egress-block",
      "pipelock-block",
      "capability-block",
      "list-egress-routes",
      "proposal-status",
    ])
    for (const { description, inputSchema } of tools) {
      expect(description?.length).toBeGreaterThan(80)
      expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false })
    }
    expect(client.getInstructions()).toContain("egress-block")
  })

  test("capability-block is not there where no image is built", async () => {
    const other = await startLab({ image: null })
    const names = (await (await other.client()).listTools()).tools.map(({ name }) => name)
    expect(names).not.toContain("capability-block")
    const missing = await call(await other.client(), "capability-block", { dockerfile: "FROM a", justification: "x" })
    expect(missing.failed).toBe(true)
    expect(other.asked).toEqual([])
    await other.close()
  })

  test("list-egress-routes answers at once with the host's text", async () => {
    lab.asked.length = 0
    expect((await call(client, "list-egress-routes", {})).text).toBe("routes: []\nallowlist: []\n")
    expect(lab.asked).toEqual([{ op: "list-egress-routes" }])
  })

  test("egress-block waits, shows that it lives, and returns what was decided", async () => {
    const seen: string[] = []
    const given = {
      ...{ host: "API.Example.com.", path_allowlist: ["/v1", "/v1"], methods: ["get", "POST"] },
      ...{ auth: { scheme: "Bearer", token_ref: "API_TOKEN" }, justification: "to read models" },
    }
    const answer = call(client, "egress-block", given, { onprogress: ({ message }) => void seen.push(String(message)) })
    await waitFor("three signs of life", () => seen.length >= 3)
    const proposed = lastAsked()
    expect(proposed).toMatchObject({ op: "propose", tool: "egress-block", justification: "to read models" })
    expect(routeSchema.parse(parse(proposed.proposed_file))).toEqual({
      ...{ host: "api.example.com", scheme: "https", port: 443 },
      matches: [{ paths: [{ type: "prefix", value: "/v1" }], methods: ["GET", "POST"] }],
      auth: { scheme: "Bearer", token_ref: "API_TOKEN" },
    })
    const id = /p[0-9a-z]{10}/.exec(seen[0] ?? "")?.[0] ?? ""
    lab.decide({ proposal_id: id, status: "modified", notes: "less", final_file: "host: api.example.com\n" })
    const { text, data, failed } = await answer
    expect(data).toEqual({ status: "modified", notes: "less", final: "host: api.example.com\n", id })
    expect(failed).toBe(false)
    expect(text).toContain("less")
    expect(text).toContain("host: api.example.com")
  })

  test("a rejection's reason reaches the model", async () => {
    const answer = call(client, "pipelock-block", { failed_url: "https://Docs.example/a?b", justification: "docs" })
    await waitFor("the proposal", () => lab.asked.some((one) => one.op === "propose" && one.tool === "pipelock-block"))
    expect(lastAsked().proposed_file).toBe("https://docs.example/a?b")
    await waitFor("its wait", () => lab.pending() === 1)
    const id = idOf(lab.asked.filter(({ op }) => op === "propose").length - 1)
    lab.decide({ proposal_id: id, status: "rejected", notes: "use the mirror" })
    expect(await answer).toMatchObject({ data: { status: "rejected", notes: "use the mirror" }, failed: false })
    expect((await answer).text).toContain("use the mirror")
  })

  test("two calls that the host joined get the one decision", async () => {
    lab.answer = (request) => ({ kind: "pending", id: request.op === "list-egress-routes" ? "" : "pjoinedjoin" })
    const given = { host: "joined.example", justification: "x" }
    const both = Promise.all([call(client, "egress-block", given), call(client, "egress-block", given)])
    await waitFor("both waits", () => lab.pending() >= 2)
    lab.decide({ proposal_id: "pjoinedjoin" })
    expect((await both).map(({ data }) => data.status)).toEqual(["approved", "approved"])
  })

  test("a decision told while nobody listened is found by asking", async () => {
    const id = "pmissed0000"
    let decided = false
    lab.answer = (request) =>
      request.op === "proposal-status" && decided
        ? { kind: "decided", response: { proposal_id: id, status: "approved", notes: "", final_file: "x" } }
        : { kind: "pending", id }
    const answer = call(client, "egress-block", { host: "missed.example", justification: "x" })
    await waitFor("its wait", () => lab.pending() > 0)
    decided = true
    expect((await answer).data).toMatchObject({ status: "approved", final: "x", id })
  })

  test("what the host refuses is a plain refusal", async () => {
    lab.answer = () => ({ kind: "refused", message: "20 proposals are open; wait for the operator." })
    const { text, data, failed } = await call(client, "egress-block", { host: "a.example", justification: "x" })
    expect(data.status).toBe("refused")
    expect(failed).toBe(true)
    expect(text).toContain("20 proposals are open")
  })

  test("proposal-status tells, waits when told to, and refuses what is no id", async () => {
    const id = "pstatus0000"
    lab.answer = () => ({ kind: "pending", id })
    expect((await call(client, "proposal-status", { id })).data.status).toBe("pending")
    const waits = call(client, "proposal-status", { id, wait_seconds: 60 })
    await waitFor("its wait", () => lab.pending() > 0)
    lab.decide({ proposal_id: id, status: "expired", notes: "the bottle ended" })
    expect((await waits).data).toMatchObject({ status: "expired", notes: "the bottle ended" })
    lab.asked.length = 0
    for (const bad of ["../../etc/passwd", "p0", "PSTATUS0000", "pstatus0000\n"]) {
      expect((await call(client, "proposal-status", { id: bad })).failed).toBe(true)
    }
    expect(lab.asked).toEqual([])
  })

  test("after the settable wait a call is pending, with its id", async () => {
    const short = await startLab({ wait: 0.2 })
    const { data, text } = await call(await short.client(), "egress-block", { host: "a.example", justification: "x" })
    expect(data).toMatchObject({ status: "pending", id: idOf(0) })
    expect(text).toContain(`proposal-status with id ${idOf(0)}`)
    await short.close()
  })

  test("a host that does not answer is said so, and nothing is held any more", async () => {
    const mute = await startLab({ wait: 0.2 }, { progressTime: 50 })
    mute.answer = () => undefined
    const agent = await mute.client()
    expect((await call(agent, "egress-block", { host: "a.example", justification: "x" })).text).toContain(
      "does not answer",
    )
    expect((await call(agent, "list-egress-routes", {})).text).toContain("does not answer")
    expect(mute.pending()).toBe(0)
    await mute.close()
  })

  test("a client that goes away withdraws nothing, and nothing is held for it", async () => {
    const gone = await startLab()
    const stop = new AbortController()
    const agent = await gone.client()
    const cut = call(agent, "egress-block", { host: "a.example", justification: "x" }, { signal: stop.signal })
    await waitFor("its wait", () => gone.pending() === 1)
    stop.abort()
    await expect(cut).rejects.toThrow()
    await agent.close()
    await waitFor("the wait to be dropped", () => gone.pending() === 0)
    expect(gone.asked.filter(({ op }) => op === "propose")).toHaveLength(1)
    gone.decide({ proposal_id: idOf(0) })
    gone.answer = () => ({
      kind: "decided",
      response: { proposal_id: idOf(0), status: "approved", notes: "", final_file: "" },
    })
    expect((await call(await gone.client(), "proposal-status", { id: idOf(0) })).data.status).toBe("approved")
    await gone.close()
  })
})
