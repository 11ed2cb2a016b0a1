import { join } from "node:path"
import type { GuestFile } from "../../../sidecars/guest/protocol.ts"
import type { ProviderRequest } from "../provider.ts"
import { superviseSeconds, superviseUrl } from "../supervise.ts"
import { hasSystemPrompt } from "../wants.ts"
import type { PiSettings } from "./settings.ts"

interface Placeholder {
  variable: string
  value: string
}

const openaiKey = { variable: "OPENAI_API_KEY", value: "sk-placeholder-the-real-key-stays-outside-this-bottle" }

/**
 * What the CLI holds instead of a token. It tells a subscription's token from a key by how it begins, and sends each
 * in a header of its own.
 */
export const placeholders: Readonly<Record<PiSettings["provider"], Record<PiSettings["auth"], Placeholder>>> = {
  anthropic: {
    oauth: {
      variable: "ANTHROPIC_OAUTH_TOKEN",
      value: "sk-ant-oat01-placeholder-the-real-token-stays-outside-this-bottle",
    },
    "api-key": {
      variable: "ANTHROPIC_API_KEY",
      value: "sk-ant-api03-placeholder-the-real-key-stays-outside-this-bottle",
    },
  },
  openai: { oauth: openaiKey, "api-key": openaiKey },
}

export function promptFile(home: string): string {
  return join(home, ".pi", "agent", "bottle-system-prompt.md")
}

/** Files that make the CLI start without a question: trust of the workspace, model, prompt, MCP. */
export function piFiles(want: ProviderRequest, settings: PiSettings): GuestFile[] {
  const file = (name: string, value: unknown): GuestFile => ({
    path: join(want.home, ".pi", "agent", name),
    mode: 0o600,
    content: `${JSON.stringify(value, undefined, 2)}\n`,
  })
  const configuration = {
    defaultProvider: settings.provider,
    ...(settings.model === undefined ? {} : { defaultModel: settings.model }),
    defaultProjectTrust: "always",
    quietStartup: true,
    enableInstallTelemetry: false,
    warnings: { anthropicExtraUsage: false },
  }
  // `direct` puts the tools before the model; by default only scripts could call them.
  const supervise = { url: superviseUrl, exposure: "direct", timeout: superviseSeconds }
  return [
    file("settings.json", configuration),
    ...(want.supervise ? [file("mcp.json", { mcpServers: { supervise } })] : []),
    ...(hasSystemPrompt(want) ? [{ path: promptFile(want.home), mode: 0o600, content: want.systemPrompt }] : []),
  ]
}
