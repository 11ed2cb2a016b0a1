import type { AgentCli } from "../agent-sessions.ts"
import { realToken } from "../claude-place.ts"
import { realKey } from "../codex-place.ts"
import { realKeys } from "../pi-place.ts"

/** The real CLIs as the sessions need to know them, wherever their images are from. */

export const claude: Omit<AgentCli, "furnish"> = {
  name: "claude",
  secret: realToken,
  credential: ({ headers }) => headers.authorization?.replace(/^Bearer /, ""),
  ask: (tool, given) => `CALL mcp__supervise__${tool} ${JSON.stringify(given)}`,
  run: (command) => `CALL Bash ${JSON.stringify({ command, description: "look" })}`,
  skills: ".claude/skills",
  showsLabel: true,
  ready: /\? for shortcuts|bypass permissions/i,
}
export const codex: Omit<AgentCli, "furnish"> = {
  name: "codex",
  secret: realKey,
  credential: ({ headers }) => headers.authorization?.replace(/^Bearer /, ""),
  ask: (tool, given) => `CALL mcp__supervise::${tool.replaceAll("-", "_")} ${JSON.stringify(given)}`,
  run: (cmd) => `CALL exec_command ${JSON.stringify({ cmd })}`,
  skills: ".codex/skills",
  showsLabel: false,
  ready: /pretend .*\/workspace/,
}
export const pi: Omit<AgentCli, "furnish"> = {
  name: "pi",
  secret: realKeys.anthropic,
  credential: ({ headers }) => headers["x-api-key"],
  ask: (tool, given) => `CALL mcp__supervise__${tool.replaceAll("-", "_")} ${JSON.stringify(given)}`,
  run: (command) => `CALL bash ${JSON.stringify({ command })}`,
  skills: ".pi/agent/skills",
  showsLabel: true,
  ready: /claude-opus/,
}
