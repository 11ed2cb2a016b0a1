import { describe, expect, test } from "bun:test"
import { testSessions } from "../support/agent-sessions.ts"
import { furnishCodex, realKey } from "../support/codex-place.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

const here = requirePart("binary") && requirePart("bwrap") && requirePart("codex")

for (const who of here ? whos : []) {
  describe(`the real Codex, as ${who}`, () => {
    const place = makePlace(who)
    const { model } = testSessions(
      {
        name: "codex",
        furnish: furnishCodex,
        secret: realKey,
        credential: ({ headers }) => headers.authorization?.replace(/^Bearer /, ""),
        ask: (tool, given) => `CALL mcp__supervise::${tool.replaceAll("-", "_")} ${JSON.stringify(given)}`,
        run: (cmd) => `CALL exec_command ${JSON.stringify({ cmd })}`,
        skills: ".codex/skills",
        showsLabel: false,
        ready: /pretend .*\/workspace/,
      },
      place,
    )

    test("its own model, which calls tools from scripts, works as well", async () => {
      const before = model().requests.length
      const script = 'const r = await tools.exec_command({cmd: "echo from-$((40+2))"}); text(r)'
      const prompt = `JS functions::exec ${script}\nSAY scripted`
      const ask = ["start", "codex", "--bottle", "codex-own-model", "--headless", "--prompt", prompt]
      const result = await place.bottle(ask)
      expect([result.code, result.stdout.includes("scripted")]).toEqual([0, true])
      const bodies = model()
        .requests.slice(before)
        .map(({ body }) => body)
      expect(bodies.at(-1)).toContain("from-42")
      expect(result.stderr).toContain("nothing left behind")
    }, 300_000)

    test("an attempt at a WebSocket is answered 426 by the fence, and never reaches the API", async () => {
      const before = model().requests.length
      const curl =
        "curl -s -o /dev/null -w 'status-%{http_code}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' https://api.openai.com/v1/responses"
      const prompt = `CALL exec_command ${JSON.stringify({ cmd: curl })}\nSAY asked`
      const result = await place.bottle(["start", "codex", "--headless", "--prompt", prompt])
      expect(result.stdout).toContain("asked")
      const seen = model().requests.slice(before)
      expect(seen.at(-1)?.body).toContain("status-426")
      expect(seen.map(({ method }) => method)).not.toContain("GET")
    }, 300_000)
  })
}
