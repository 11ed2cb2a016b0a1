import { readChoice, readExtraArgs, readFlag, readModel, refuseUnknown } from "../settings.ts"

/** `agent_provider.settings` of a claude bottle, checked. */
export interface ClaudeSettings {
  /** What the slot holds: a subscription's OAuth token (`claude setup-token`) or an API key. */
  auth: "oauth" | "api-key"
  model: string | undefined
  /** Start sessions on a terminal with Remote Control on, named by the label. */
  remoteControl: boolean
  /** Further flags of the CLI, put before the prompt. */
  extraArgs: readonly string[]
}

/** Check `agent_provider.settings`. Throws `BottleError` (exit 3) naming the key. */
export function readClaudeSettings(settings: Readonly<Record<string, unknown>>): ClaudeSettings {
  refuseUnknown(settings, ["auth", "extra_args", "model", "remote_control"])
  return {
    auth: readChoice(settings, "auth", ["oauth", "api-key"]),
    model: readModel(settings),
    remoteControl: readFlag(settings, "remote_control"),
    extraArgs: readExtraArgs(settings),
  }
}
