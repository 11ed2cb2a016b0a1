import { readFile } from "node:fs/promises"
import { dirname } from "node:path"
import type { Document } from "yaml"
import { writeFileAtomic } from "./atomic-file.ts"
import { BottleError } from "./errors.ts"
import { ensurePrivateDir } from "./private-dir.ts"

/** One entry under `secrets` in settings.yml: where a value is found, never the value. */
export interface SecretName {
  name: string
  source: "keyring" | "command" | "?"
}

/** The names under `secrets:`, in file order. A missing file has none. */
export async function listSecretNames(path: string): Promise<SecretName[]> {
  const secrets: unknown = (await openSettings(path)).toJS()?.secrets
  if (typeof secrets !== "object" || secrets === null) return []
  return Object.entries(secrets).map(([name, entry]) => ({ name, source: sourceOf(entry) }))
}

/**
 * Write `name: {keyring: name}` under `secrets:`; comments and everything else stay as they are. An entry that is
 * already there is replaced.
 */
export async function keepSecretName(path: string, name: string): Promise<void> {
  const document = await openSettings(path)
  const entry = document.createNode({ keyring: name }, { flow: true })
  document.setIn(["secrets", name], entry)
  await ensurePrivateDir(dirname(path))
  await writeFileAtomic(path, document.toString({ lineWidth: 0 }))
}

/** Take a name out of `secrets:`; false when it was not there. */
export async function dropSecretName(path: string, name: string): Promise<boolean> {
  const document = await openSettings(path)
  if (!document.deleteIn(["secrets", name])) return false
  await writeFileAtomic(path, document.toString({ lineWidth: 0 }))
  return true
}

async function openSettings(path: string): Promise<Document> {
  const { isMap, parseDocument } = await import("yaml")
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return ""
    throw error
  })
  const document = parseDocument(text)
  const secrets = document.get("secrets")
  const usable = document.errors.length === 0 && (document.contents === null || isMap(document.contents))
  if (usable && (secrets === undefined || secrets === null || isMap(secrets))) {
    // A bare `secrets:` holds a null that nothing can be put into.
    if (document.has("secrets") && !isMap(secrets)) document.delete("secrets")
    return document
  }
  throw new BottleError(
    `${path} cannot be edited: ${document.errors[0]?.message.split("\n")[0] ?? "it is not a map with a map under secrets"}`,
    {
      code: "bad-settings",
      exit: "badManifest",
      hint: "mend it by hand; bottle schema settings describes it",
    },
  )
}

function sourceOf(entry: unknown): SecretName["source"] {
  if (typeof entry !== "object" || entry === null) return "?"
  if ("keyring" in entry) return "keyring"
  return "command" in entry ? "command" : "?"
}
