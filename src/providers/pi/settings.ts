import { readChoice, readExtraArgs, readModel, refuseUnknown, wrongSetting } from "../settings.ts"

/** `agent_provider.settings` of a pi bottle, checked. */
export interface PiSettings {
  /** Whose model API it talks to. */
  provider: "anthropic" | "openai"
  /** What the slot holds: an API key or, of Anthropic, a subscription's OAuth token. */
  auth: "api-key" | "oauth"
  model: string | undefined
  /** Further flags of the CLI, put before the prompt. */
  extraArgs: readonly string[]
}

/** Check `agent_provider.settings`. Throws `BottleError` (exit 3) naming the key. */
export function readPiSettings(settings: Readonly<Record<string, unknown>>): PiSettings {
  refuseUnknown(settings, ["auth", "extra_args", "model", "provider"])
  const provider = readChoice(settings, "provider", ["anthropic", "openai"])
  const auth = readChoice(settings, "auth", ["api-key", "oauth"])
  if (provider === "openai" && auth === "oauth") throw wrongSetting("auth", "openai takes an API key only")
  return { provider, auth, model: readModel(settings), extraArgs: readExtraArgs(settings) }
}
