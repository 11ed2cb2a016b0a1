import { describe, expect, test } from "bun:test"
import { testSessions } from "../support/agent-sessions.ts"
import { furnishPi, realKeys } from "../support/pi-place.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

const here = requirePart("binary") && requirePart("bwrap") && requirePart("pi") && requirePart("node24")

for (const who of here ? whos : []) {
  describe(`the real Pi, as ${who}`, () => {
    const place = makePlace(who)
    const { model } = testSessions(
      {
        name: "pi",
        furnish: furnishPi,
        secret: realKeys.anthropic,
        credential: ({ headers }) => headers["x-api-key"],
        ask: (tool, given) => `CALL mcp__supervise__${tool.replaceAll("-", "_")} ${JSON.stringify(given)}`,
        run: (command) => `CALL bash ${JSON.stringify({ command })}`,
        skills: ".pi/agent/skills",
        showsLabel: true,
        ready: /claude-opus/,
      },
      place,
    )

    test("with OpenAI as its provider", async () => {
      const before = model().requests.length
      const prompt = 'CALL bash {"command":"echo from-$((40+2))"}\nSAY all done'
      const ask = ["start", "pi", "--bottle", "pi-openai", "--headless", "--prompt", prompt]
      const result = await place.bottle(ask)
      expect([result.code, result.stdout.includes("all done [tool: from-42")]).toEqual([0, true])
      const seen = model().requests.slice(before)
      expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /v1/responses", "POST /v1/responses"])
      for (const { headers } of seen) expect(headers.authorization).toBe(`Bearer ${realKeys.openai}`)
      expect(result.stderr).toContain("nothing left behind")
    }, 300_000)
  })
}
