import { readExtraArgs, readModel, refuseUnknown } from "../settings.ts"

/** `agent_provider.settings` of a codex bottle, checked. */
export interface CodexSettings {
  model: string | undefined
  /** Further flags of the CLI, put before the prompt. */
  extraArgs: readonly string[]
}

/** Check `agent_provider.settings`. Throws `BottleError` (exit 3) naming the key. */
export function readCodexSettings(settings: Readonly<Record<string, unknown>>): CodexSettings {
  refuseUnknown(settings, ["extra_args", "model"])
  return { model: readModel(settings), extraArgs: readExtraArgs(settings) }
}
