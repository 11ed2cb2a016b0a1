import { BottleError } from "../lib/errors.ts"

/**
 * Parts of `agent_provider.settings` that several CLIs share. Written by hand: a few keys do not pay for loading a
 * schema library on the way to a launch. Everything here throws `BottleError` (exit 3) naming the key.
 */

type Settings = Readonly<Record<string, unknown>>

export function refuseUnknown(settings: Settings, known: readonly string[]): void {
  const unknown = Object.keys(settings).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const hint = known.length === 0 ? "remove it" : `known keys: ${known.join(", ")}`
  throw wrongSetting(unknown, "unknown key", hint)
}

/** A value that cannot be taken for another flag. */
export function readModel({ model }: Settings): string | undefined {
  if (model === undefined || (isText(model) && /^[^\s-]\S*$/.test(model))) return model
  throw wrongSetting("model", "must be the name of a model")
}

/** Further flags of the CLI, put before the prompt. */
export function readExtraArgs({ extra_args: extraArgs = [] }: Settings): readonly string[] {
  if (!Array.isArray(extraArgs) || !extraArgs.every(isText)) {
    throw wrongSetting("extra_args", "must be a list of strings")
  }
  if (extraArgs.includes("--")) throw wrongSetting("extra_args", "must not hold --, which ends the flags")
  return extraArgs
}

/** True or false; false when it is not written. */
export function readFlag(settings: Settings, key: string): boolean {
  const value = settings[key] ?? false
  if (typeof value === "boolean") return value
  throw wrongSetting(key, "must be true or false")
}

/** One of a few words; the first is the default. */
export function readChoice<T extends string>(settings: Settings, key: string, choices: readonly [T, ...T[]]): T {
  const value = settings[key] ?? choices[0]
  const found = choices.find((choice) => choice === value)
  if (found !== undefined) return found
  throw wrongSetting(key, `must be ${choices.map((choice) => JSON.stringify(choice)).join(" or ")}`)
}

export function wrongSetting(key: string, problem: string, hint?: string): BottleError {
  return new BottleError(`agent_provider.settings.${key}: ${problem}`, {
    code: "bad-provider-settings",
    exit: "badManifest",
    ...(hint === undefined ? {} : { hint }),
  })
}

function isText(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0")
}
