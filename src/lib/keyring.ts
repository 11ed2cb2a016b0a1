import { BottleError } from "./errors.ts"

/** The service name of every entry of ours in the system's keyring. */
const service = "bot-bottle"

/** The part of `Bun.secrets` that we use; tests give their own. */
export interface KeyringStore {
  get(entry: { service: string; name: string }): Promise<string | null>
  set(entry: { service: string; name: string; value: string }): Promise<void>
  delete(entry: { service: string; name: string }): Promise<boolean>
}

/** The value kept under `name`. Undefined: no such entry, or no keyring on this machine. */
export async function readSecret(name: string, store: KeyringStore = Bun.secrets): Promise<string | undefined> {
  try {
    return (await store.get({ service, name })) ?? undefined
  } catch {
    return undefined
  }
}

/** Keep a value. Throws `BottleError` (exit 4) naming the other ways where there is no keyring. */
export async function writeSecret(name: string, value: string, store: KeyringStore = Bun.secrets): Promise<void> {
  try {
    await store.set({ service, name, value })
  } catch (cause) {
    throw noKeyring(name, cause)
  }
}

/** Forget a value; false when there was none. Throws like `writeSecret`. */
export async function removeSecret(name: string, store: KeyringStore = Bun.secrets): Promise<boolean> {
  try {
    return await store.delete({ service, name })
  } catch (cause) {
    throw noKeyring(name, cause)
  }
}

function noKeyring(name: string, cause: unknown): BottleError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new BottleError(`the system's keyring cannot be used: ${reason}`, {
    code: "no-keyring",
    exit: "missingPart",
    hint: `export ${name}=…, or settings.yml: secrets: {${name}: {command: [argv]}}, or start a keyring (libsecret)`,
    cause,
  })
}
