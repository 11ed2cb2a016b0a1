import { appendFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"

/** Nobody reads a keeper's stderr: what nobody planned goes into `logs/keeper.log`. */
export function writeLastWords(logs: string, slug: string, error: unknown): void {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
  try {
    mkdirSync(logs, { recursive: true, mode: 0o700 })
    appendFileSync(join(logs, "keeper.log"), `${new Date().toISOString()} ${slug} ${words}\n`, { mode: 0o600 })
  } catch {
    // There is nowhere left to say it.
  }
}
