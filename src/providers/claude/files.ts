import { join } from "node:path"
import type { GuestFile } from "../../../sidecars/guest/protocol.ts"
import { sgrColors } from "../../lib/colors.ts"
import { safeText } from "../../ui/safe-text.ts"
import type { ProviderRequest } from "../provider.ts"
import { superviseSeconds, superviseUrl } from "../supervise.ts"
import type { ClaudeSettings } from "./settings.ts"

/**
 * What the CLI holds instead of a token. Any string will do for it, these say to a reader what they are; the real
 * one is put in by egress (facts: CLAUDE_CODE_OAUTH_TOKEN asks nothing in the TUI, an API key must be approved).
 */
export const placeholders = {
  oauth: "sk-ant-oat01-placeholder-the-real-token-stays-outside-this-bottle",
  "api-key": "sk-ant-api03-placeholder-the-real-key-stays-outside-this-bottle",
} as const

/** The CLI knows an approved API key by this many of its last characters. */
const approvedKeyLength = 20

export function promptFile(home: string): string {
  return join(home, ".claude", "bottle-system-prompt.md")
}

const statusFile = (home: string): string => join(home, ".claude", "bottle-status")

/** The label in the bottle's colour; without a colour the name that the CLI shows by itself is enough. */
function statusText({ label, color }: ProviderRequest): string | undefined {
  const code = color === undefined ? undefined : sgrColors[color]
  return code === undefined ? undefined : `\u001b[${code}m${safeText(label)}\u001b[0m\n`
}

/** Files that make the CLI start without a question: onboarding, trust of the workspace, bypass mode, prompt, MCP. */
export function claudeFiles(want: ProviderRequest, auth: ClaudeSettings["auth"]): GuestFile[] {
  const state = {
    hasCompletedOnboarding: true,
    projects: { [want.workspace]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
    ...(auth === "api-key"
      ? { customApiKeyResponses: { approved: [placeholders["api-key"].slice(-approvedKeyLength)], rejected: [] } }
      : {}),
    ...(want.supervise ? { mcpServers: { supervise: superviseServer() } } : {}),
  }
  const status = want.headless ? undefined : statusText(want)
  const settings = {
    skipDangerousModePermissionPrompt: true,
    // The line below its prompt; the text is in a file, so that no label is ever read by a shell.
    ...(status === undefined ? {} : { statusLine: { type: "command", command: `cat ${statusFile(want.home)}` } }),
  }
  return [
    jsonFile(join(want.home, ".claude.json"), state),
    jsonFile(join(want.home, ".claude", "settings.json"), settings),
    ...(status === undefined ? [] : [{ path: statusFile(want.home), mode: 0o600, content: status }]),
    ...(want.systemPrompt.trim() === ""
      ? []
      : [{ path: promptFile(want.home), mode: 0o600, content: want.systemPrompt }]),
  ]
}

/**
 * `alwaysLoad` puts the tools' schemas before the model; by default it would see only their names. Without `timeout`, in
 * ms, the CLI gives up after 60 s of silence.
 */
function superviseServer() {
  return { type: "http", url: superviseUrl, alwaysLoad: true, timeout: superviseSeconds * 1000 }
}

function jsonFile(path: string, value: unknown): GuestFile {
  return { path, mode: 0o600, content: `${JSON.stringify(value, undefined, 2)}\n` }
}
