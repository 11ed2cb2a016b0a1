import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Place } from "../place.ts"
import { git, giveTo, put } from "./evil.ts"

/** The operator's repository in a place's working directory: one commit with `a` and `b`, and `.gitignore`. */
export async function makeRepository(place: Place, name = "repo"): Promise<string> {
  const dir = join(place.work, name)
  mkdirSync(dir, { recursive: true })
  put(join(dir, "a"), "one\n")
  put(join(dir, "b"), "two\n")
  put(join(dir, ".gitignore"), "*.log\n")
  giveTo(place, place.work)
  await git(place, dir, "init", "-q", "-b", "main")
  await git(place, dir, "add", "-A")
  await git(place, dir, "commit", "-q", "-m", "first")
  Bun.spawnSync(["chmod", "-R", "a+rX", place.work], { env: {} })
  return dir
}

/** Start a headless bottle that runs a script in a copy of a directory; returns its slug. */
export async function runIn(place: Place, dir: string, script: string, more: readonly string[] = []): Promise<string> {
  const before = new Set(place.states())
  const argv = ["start", "--headless", "--cwd", "--bottle", "dev", ...more, "--", "sh", "-c", script]
  const done = await place.bottle(argv, { cwd: dir })
  const slug = place.states().find((name) => !before.has(name))
  if (slug === undefined) throw new Error(`no bottle was kept: ${done.stdout}${done.stderr}`)
  return slug
}

/** What an agent says first when it means to commit. */
export const identity = "git config user.name agent; git config user.email agent@example.test"
