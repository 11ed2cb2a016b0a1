import { isAbsolute } from "node:path"
import { BottleError } from "../../../lib/errors.ts"
import { scriptFailed } from "../script-failed.ts"
import { askWorkspace, type BundleWish } from "./make-bundle.ts"
import { leaksScript } from "./scripts.ts"
import type { Leak } from "./types.ts"

/**
 * Let gitleaks, if this machine has it, look at the new commits, in a sandbox. Undefined: there is none. Its report names
 * places and rules; what it found is not kept. Throws when it fails: what could not be scanned is not called clean.
 */
export async function scanLeaks(wish: BundleWish, searchPath: string): Promise<Leak[] | undefined> {
  const path = searchPath.split(":").filter(isAbsolute).join(":")
  const program = Bun.which("gitleaks", { PATH: path })
  if (program === null) return undefined
  const run = await askWorkspace(wish, leaksScript, {
    mounts: [{ source: program, target: "/tools/gitleaks", readonly: true }],
  })
  if (run.exitCode !== 0) throw scriptFailed("gitleaks could not scan the commits", run)
  return parseLeaks(new TextDecoder().decode(run.stdout))
}

export function parseLeaks(text: string): Leak[] {
  const found: unknown = JSON.parse(text.trim() === "" ? "[]" : text)
  if (!Array.isArray(found)) throw new Error("gitleaks' report is no list")
  return found.map((one: Record<string, unknown>) => ({
    file: String(one.File).slice(0, 300),
    line: Number(one.StartLine) || 0,
    rule: String(one.RuleID).slice(0, 100),
    commit: String(one.Commit).slice(0, 40),
  }))
}

/** The refusal that names every place, and no secret. */
export function leaksFound(slug: string, leaks: readonly Leak[]): BottleError {
  const shown = leaks
    .slice(0, 10)
    .map(({ file, line, rule, commit }) => `  ${file}:${line} ${rule} (${commit.slice(0, 10)})`)
  const more = leaks.length > 10 ? [`  and ${leaks.length - 10} more`] : []
  const message = [`gitleaks found what looks like ${leaks.length === 1 ? "a secret" : "secrets"}; nothing was pulled`]
  return new BottleError([...message, ...shown, ...more].join("\n"), {
    code: "leaks",
    exit: "denied",
    hint: `look: bottle diff ${slug}; to pull all the same: --allow-leaks`,
    cause: leaks,
  })
}
