import { BottleError } from "../lib/errors.ts"
import type { EnvMode } from "../manifest/types.ts"

export type EnvValues = Readonly<Record<string, string>>

/** Where a named value can come from besides the caller's environment (`settings.yml`, BEHAVIOUR 5). */
export type SecretSource = { command: readonly string[] } | { keyring: string }

export interface SecretDeps {
  env: Readonly<Record<string, string | undefined>>
  sources: Readonly<Record<string, SecretSource>>
  /** Runs argv, gives stdout without its final newline; throws with a reason. */
  runCommand(argv: readonly string[]): Promise<string>
  /** Undefined: no such entry, or no keyring. */
  readKeyring(name: string): Promise<string | undefined>
  /** Asks on the terminal without echo; throws `BottleError` (exit 2) without one. */
  ask(question: string): Promise<string>
}

/** Look up one name: the caller's environment, then `settings.yml`. Never cached. */
async function lookUp(name: string, deps: SecretDeps): Promise<string | undefined> {
  const own = Object.hasOwn(deps.env, name) ? deps.env[name] : undefined
  if (own !== undefined && own !== "") return own
  const source = Object.hasOwn(deps.sources, name) ? deps.sources[name] : undefined
  if (source === undefined) return undefined
  return "command" in source ? deps.runCommand(source.command) : deps.readKeyring(source.keyring)
}

/**
 * The values of slots and of `${NAME}` and `?` environment entries. Every missing name is said at once, with the
 * three ways to give it; no value is ever shown.
 */
export async function resolveSecrets(
  slots: readonly string[],
  env: Readonly<Record<string, EnvMode>>,
  deps: SecretDeps,
): Promise<{ slots: Record<string, string>; env: Record<string, string> }> {
  const missing = new Set<string>()
  const find = async (name: string): Promise<string> => {
    const value = await lookUp(name, deps)
    if (value === undefined || value === "") missing.add(name)
    return value ?? ""
  }
  const slotValues: Record<string, string> = {}
  for (const name of slots) slotValues[name] = await find(name)
  const envValues: Record<string, string> = {}
  for (const [name, mode] of Object.entries(env)) {
    if (mode.kind === "literal") envValues[name] = mode.value
    if (mode.kind === "host") envValues[name] = await find(mode.name)
  }
  if (missing.size > 0) throw missingError([...missing])
  for (const [name, mode] of Object.entries(env)) {
    if (mode.kind === "ask") envValues[name] = await deps.ask(mode.question || `value of ${name}`)
  }
  return { slots: slotValues, env: envValues }
}

function missingError(names: readonly string[]): BottleError {
  const first = names[0] ?? ""
  return new BottleError(`no value for ${names.join(", ")}`, {
    code: "missing-secret",
    exit: "missingPart",
    hint: `export ${first}=…, or: bottle secret set ${first}, or settings.yml: secrets: {${first}: {command: […]}}`,
  })
}
