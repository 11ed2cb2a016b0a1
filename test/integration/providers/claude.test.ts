import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { ProviderRequest, ProviderSession } from "../../../src/providers/provider.ts"
import { agentPackages } from "../../support/require.ts"
import { type AgentWorld, allowedRequests, startAgentWorld } from "./agent-sandbox.ts"

const runLimit = 60_000

let world: AgentWorld
beforeAll(async () => {
  world = await startAgentWorld("claude", "api.anthropic.com")
})
afterAll(() => world?.close())

async function run(name: string, changes: Partial<ProviderRequest>, pick = (session: ProviderSession) => session.argv) {
  const { session, home, command } = await world.prepare(name, changes)
  const begin = world.model.requests.length
  const child = Bun.spawn(command(pick(session)), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: runLimit,
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const code = await child.exited
  return { out: out.trim(), err, code, home, session, seen: world.model.requests.slice(begin) }
}

describe("the real Claude Code", () => {
  test("is found as npm's native binary and runs with only the mounts that the provider names", async () => {
    const { out, code, session } = await run("version", {}, ({ argv }) => [argv[0] ?? "", "--version"])
    expect(session.mounts.map(({ source }) => source)).toEqual([
      join(agentPackages, "@anthropic-ai", "claude-code-linux-x64", "claude"),
    ])
    expect(session.summary).toContain("claude 2.1.329 ")
    expect([code, out]).toEqual([0, "2.1.329 (Claude Code)"])
  })

  test(
    "makes a tool call and gives the final answer, asking for nothing but what its route allows",
    async () => {
      const prompt = 'CALL Bash {"command":"echo from-the-tool; pwd","description":"look"}\nSAY all done'
      const systemPrompt = "Answer like a lighthouse keeper."
      const { out, err, code, session, home, seen } = await run("headless", { headless: true, prompt, systemPrompt })
      expect([code, err]).toEqual([0, ""])
      expect(out).toBe("all done [tool: from-the-tool\n/home/node/workspace]")
      const asked = [...new Set(seen.map(({ method, path }) => `${method} ${path}`))]
      expect(allowedRequests(session)).toEqual(expect.arrayContaining(asked))
      expect(new Set(world.proxy.asked)).toEqual(new Set(["api.anthropic.com:443"]))
      const call = seen.find(({ path }) => path === "/v1/messages")
      expect(call?.headers.authorization).toBe(`Bearer ${session.env.CLAUDE_CODE_OAUTH_TOKEN}`)
      expect(call?.body).toContain(systemPrompt)
      for (const directory of session.transcripts) expect(readdirSync(join(home, directory))).toHaveLength(1)
    },
    runLimit,
  )

  test(
    "goes on with the earlier conversation",
    async () => {
      await run("resumed", { headless: true, prompt: "SAY the first answer" })
      const { out, code, seen } = await run("resumed", { headless: true, prompt: "SAY more" }, (s) => s.resumeArgv)
      expect([code, out]).toEqual([0, "more"])
      expect(seen.some(({ body }) => body.includes("the first answer"))).toBe(true)
    },
    runLimit,
  )

  test(
    "starts anew when there is nothing to go on with",
    async () => {
      const { out, code } = await run("anew", { headless: true, prompt: "SAY anew" }, (s) => s.resumeArgv)
      expect([code, out]).toEqual([0, "anew"])
    },
    runLimit,
  )

  test(
    "takes an API key's placeholder as well, and the model it is told",
    async () => {
      const settings = { auth: "api-key", model: "claude-test-model" }
      const { out, session, seen } = await run("api-key", { headless: true, prompt: "SAY with a key", settings })
      expect(out).toBe("with a key")
      const call = seen.find(({ path }) => path === "/v1/messages")
      expect(call?.headers["x-api-key"]).toBe(session.env.ANTHROPIC_API_KEY ?? "")
      expect(JSON.parse(call?.body ?? "{}").model).toBe("claude-test-model")
    },
    runLimit,
  )

  test(
    "reads a prompt that looks like a flag as a prompt",
    async () => {
      const { out, code } = await run("flag", { headless: true, prompt: "--version\nSAY it was a prompt" })
      expect([code, out]).toEqual([0, "it was a prompt"])
    },
    runLimit,
  )
})
