import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto"
import { existsSync } from "node:fs"
import { link, lstat, open, readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { writeFileAtomic } from "../lib/atomic-file.ts"
import { BottleError } from "../lib/errors.ts"
import { ensurePrivateDir } from "../lib/private-dir.ts"
import type { Act } from "./act.ts"
import type { Signer } from "./line.ts"
import { syncDir } from "./set-aside.ts"

/** This installation's key: the one key at rest (SECURITY 28). */
export interface AuditKey extends Signer {
  /** The raw public key, 64 lower-case hex digits: what head lines are said to be signed by. */
  readonly id: string
  /** Is it this key's signature over the UTF-8 of this text? */
  verifies(text: string, signature: string): boolean
}

/** The public half: all that checking takes. */
export type AuditPublicKey = Omit<AuditKey, "sign">

const fileName = "audit.ed25519"
const unfinished = /^\.audit\.ed25519\.[0-9a-f]{12}\.tmp$/

/** The public half, in PEM, for whoever checks elsewhere. It is there from the first entry on. */
export const publicKeyPath = (keys: string): string => join(keys, "audit.pub")

/** Write the public half if it is not there yet: from now on an audit that is gone is known to be. */
export async function publishKey(keys: string, act: Act): Promise<void> {
  if (existsSync(publicKeyPath(keys))) return
  const pem = createPublicKey(await readFile(join(keys, fileName))).export({ type: "spki", format: "pem" })
  await act("key: publish", () => writeFileAtomic(publicKeyPath(keys), pem))
}

/**
 * The key under `keys`, made on first use. Of two processes that make it at the same time one wins and both use that
 * one: it gets its name by a link, which never replaces. Throws `BottleError` (exit 4) when the file is no such key, or
 * others may read it.
 */
export async function openKey(keys: string, act: Act): Promise<AuditKey> {
  const path = join(keys, fileName)
  const there = await readKey(keys)
  if (there !== undefined) {
    // One key is at rest: a writer that was killed while it made the key left it a second name, or another key.
    for (const name of await readdir(keys)) if (unfinished.test(name)) await rm(join(keys, name), { force: true })
    return there
  }
  await ensurePrivateDir(keys)
  const { privateKey } = generateKeyPairSync("ed25519")
  const temporary = join(keys, `.${fileName}.${randomBytes(6).toString("hex")}.tmp`)
  try {
    const file = await act("key: create", () => open(temporary, "wx", 0o600))
    try {
      await act("key: write", () => file.writeFile(privateKey.export({ type: "pkcs8", format: "pem" })))
      await act("key: sync", () => file.sync())
    } finally {
      await file.close()
    }
    await act("key: name", () => link(temporary, path)).catch((error: NodeJS.ErrnoException) => {
      // Another was faster, and may have cleared this one's away.
      if (error.code !== "EEXIST" && !existsSync(path)) throw error
    })
  } finally {
    await act("key: forget the temporary name", () => rm(temporary, { force: true }))
  }
  await act("key: sync the directory", () => syncDir(keys))
  return (await readKey(keys)) ?? unusable(path, "it is gone again")
}

/** The key under `keys`, or undefined when there is none. Makes nothing. Throws as `openKey` does. */
export async function readKey(keys: string): Promise<AuditKey | undefined> {
  const path = join(keys, fileName)
  try {
    const look = await lstat(path)
    if (!look.isFile()) return unusable(path, "it is not a plain file")
    if ((look.mode & 0o077) !== 0) return unusable(path, "other users may read it", `chmod 600 ${path}`)
    return keyOf(createPrivateKey(await readFile(path)), path)
  } catch (error) {
    if (error instanceof BottleError) throw error
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    return unusable(path, error instanceof Error ? error.message : String(error))
  }
}

/** A public key in PEM, such as `openssl pkey -pubout` prints. Throws `BottleError` (exit 4). */
export async function readPublicKey(path: string): Promise<AuditPublicKey> {
  try {
    return publicKeyOf(createPublicKey(await readFile(path)), path)
  } catch (error) {
    if (error instanceof BottleError) throw error
    return unusable(path, error instanceof Error ? error.message : String(error))
  }
}

function keyOf(key: KeyObject, path: string): AuditKey {
  const half = publicKeyOf(createPublicKey(key), path)
  return { ...half, sign: (text) => sign(null, Buffer.from(text), key).toString("hex") }
}

function publicKeyOf(key: KeyObject, path: string): AuditPublicKey {
  if (key.asymmetricKeyType !== "ed25519") return unusable(path, "it is not an Ed25519 key")
  const raw = key.export({ type: "spki", format: "der" }).subarray(-32)
  return {
    id: raw.toString("hex"),
    verifies: (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, "hex")),
  }
}

function unusable(path: string, why: string, hint = "put the right one back from a backup"): never {
  throw new BottleError(`the audit's key ${path} cannot be used: ${why}`, {
    code: "audit-key",
    exit: "missingPart",
    hint,
  })
}
