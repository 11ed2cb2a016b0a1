import { describe } from "bun:test"
import { testSessions } from "../support/agent-sessions.ts"
import { furnishClaude, realToken } from "../support/claude-place.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

const here = requirePart("binary") && requirePart("bwrap") && requirePart("claude")

for (const who of here ? whos : []) {
  describe(`the real Claude Code, as ${who}`, () => {
    const place = makePlace(who)
    testSessions(
      {
        name: "claude",
        furnish: furnishClaude,
        secret: realToken,
        credential: ({ headers }) => headers.authorization?.replace(/^Bearer /, ""),
        ask: (tool, given) => `CALL mcp__supervise__${tool} ${JSON.stringify(given)}`,
        run: (command) => `CALL Bash ${JSON.stringify({ command, description: "look" })}`,
        skills: ".claude/skills",
        showsLabel: true,
        ready: /\? for shortcuts|bypass permissions/i,
      },
      place,
    )
  })
}
