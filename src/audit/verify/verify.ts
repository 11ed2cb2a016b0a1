import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import { lockFile } from "../../lib/kernel.ts"
import { isSlug } from "../../lib/slug.ts"
import { headName, headPath } from "../head-log.ts"
import { type AuditPublicKey, publicKeyPath, readKey, readPublicKey } from "../key.ts"
import { checkHead, sizeOf } from "./check-head.ts"
import { checkLog } from "./check-log.ts"
import type { Finding, LogReport } from "./finding.ts"

export interface VerifyWish {
  paths: { audit: string; keys: string }
  /** One bottle's log; undefined: all. The head is always checked. */
  slug: string | undefined
  /** PEM of the public key to check with instead of this installation's. */
  publicKey: string | undefined
  /** The `last` of an earlier check of all, or its beginning: is that state still part of this one? */
  expect?: string | undefined
}

/** How long a keeper that is writing the head is waited for before it is read, in ms. */
const patience = 2_000

/**
 * Check the audit: first the head, then each log. Changes nothing. A keeper may go on writing meanwhile: what it adds
 * after the beginning is not looked at. Throws `BottleError`: exit 4 for a key that cannot be read, 5 for a bottle that
 * neither has a log nor had one.
 */
export async function* verifyAudit({ paths, slug, publicKey, expect = "" }: VerifyWish): AsyncGenerator<LogReport> {
  const { audit } = paths
  const { key, findings } = await keyToCheckWith(paths, publicKey)
  const sizes = await lookAt(audit)
  const { report, heads } = checkHead(audit, { size: sizes.get(headName) ?? 0, key, expect })
  if (slug !== undefined && !sizes.has(slug) && !heads.has(slug)) throw unknownAudit(slug)
  report.findings.unshift(...findings, ...missingHead(paths, sizes, publicKey))
  yield report
  const slugs = slug === undefined ? [...new Set([...sizes.keys(), ...heads.keys()])].sort() : [slug]
  for (const one of slugs) {
    if (one === headName || !isSlug(one)) continue
    yield checkLog({ slug: one, path: join(audit, `${one}.jsonl`), size: sizes.get(one), head: heads.get(one), key })
  }
}

export function unknownAudit(slug: string): BottleError {
  return new BottleError(`there is no audit of ${slug}`, {
    code: "not-found",
    exit: "notFound",
    hint: "bottle audit show",
  })
}

/** The slugs that there is a log of. */
export function loggedSlugs(audit: string): string[] {
  if (!existsSync(audit)) return []
  const names = readdirSync(audit).filter((name) => name.endsWith(".jsonl"))
  return names.map((name) => name.slice(0, -".jsonl".length)).filter((slug) => isSlug(slug) && slug !== headName)
}

/**
 * Sizes of all logs while nobody enters a head: every log is then at least as long as its head says, and at most one
 * line longer. Where the folder may not be written there is no lock, and no keeper either.
 */
async function lookAt(audit: string): Promise<Map<string, number>> {
  const head = headPath(audit)
  const lock = existsSync(head) ? await lockSoon(head) : undefined
  try {
    const sizes = new Map(loggedSlugs(audit).map((slug) => [slug, statSync(join(audit, `${slug}.jsonl`)).size]))
    return existsSync(head) ? sizes.set(headName, sizeOf(head)) : sizes
  } finally {
    lock?.release()
  }
}

async function lockSoon(path: string) {
  for (const end = performance.now() + patience; performance.now() < end; await Bun.sleep(2)) {
    try {
      const lock = lockFile(path)
      if (lock !== undefined) return lock
    } catch {
      return undefined
    }
  }
  return undefined
}

async function keyToCheckWith(
  { keys }: VerifyWish["paths"],
  given: string | undefined,
): Promise<{ key: AuditPublicKey | undefined; findings: Finding[] }> {
  if (given !== undefined) return { key: await readPublicKey(given), findings: [] }
  const own = await readKey(keys)
  const published = existsSync(publicKeyPath(keys)) ? await readPublicKey(publicKeyPath(keys)) : undefined
  const finding = (text: string): Finding => ({ severity: "tampering", kind: "foreign-key", text })
  if (own !== undefined && published !== undefined && own.id !== published.id) {
    return { key: own, findings: [finding("keys/audit.pub is not the public half of keys/audit.ed25519")] }
  }
  return { key: own ?? published, findings: [] }
}

/** Entries were written here, and what signs them is gone. */
function missingHead({ keys }: VerifyWish["paths"], sizes: Map<string, number>, given: string | undefined): Finding[] {
  const finding = (kind: Finding["kind"], text: string): Finding => ({ severity: "tampering", kind, text })
  const key = given !== undefined || existsSync(publicKeyPath(keys)) || existsSync(join(keys, "audit.ed25519"))
  if (!key && sizes.size > 0) return [finding("foreign-key", "there is no key to check with")]
  const written = existsSync(publicKeyPath(keys))
  if (written && !sizes.has(headName))
    return [finding("missing-head", "head.jsonl is gone: what it covered cannot be told")]
  return []
}
