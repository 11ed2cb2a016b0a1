import { mkdtempSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { whyNoEngine } from "./support/docker/trial.ts"
import { noEngine, requiredParts, whyMissing } from "./support/require.ts"
import { installAgents, installPrograms } from "./support/require-install.ts"
import { runSuites } from "./support/run/files.ts"
import { type Outcome, outcomeOf, summarize } from "./support/run/outcome.ts"

/**
 * `npm test`: install what the suites need where that is ours to do, build `dist/bottle`, check format, lint and
 * types, run every suite, and end with `N passed, N failed, N skipped`. Arguments choose parts: `check`, a suite.
 * `BOTTLE_TEST_JOBS` files run at once (one a core, at most four). `BOTTLE_TEST_MINUTES` is for a machine that gives
 * only so much time: files for which it is over are not begun, named, and counted as failed.
 */

const root = join(import.meta.dir, "..")
const tool = (name: string) => join(root, "node_modules", ".bin", name)
const standard = ["check", "unit", "integration", "security", "e2e"]
const known = [...standard, "soak"]

const chosen = process.argv.length > 2 ? process.argv.slice(2) : standard
const unknown = chosen.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`unknown part: ${unknown.join(", ")}; known: ${known.join(", ")}`)
  process.exit(2)
}

const minutes = setting("BOTTLE_TEST_MINUTES", Number.POSITIVE_INFINITY)
// What runs for hours measures as well, and wants the machine for itself.
const jobs = setting("BOTTLE_TEST_JOBS", chosen.includes("soak") ? 1 : Math.min(availableParallelism(), 4))
const deadline = performance.now() + minutes * 60_000
const scratch = mkdtempSync(join(tmpdir(), "bottle-test-"))
const env: Record<string, string | undefined> = {
  ...process.env,
  NODE_ENV: "test",
  BOT_BOTTLE_HOME: join(scratch, "home"),
}
const outcomes: Outcome[] = []
try {
  const heavy = chosen.some((name) => name !== "check" && name !== "unit")
  if (heavy) {
    installPrograms()
    installAgents()
    const engineHere = ["dockerd", "busybox"].every((part) => whyMissing(part) === undefined)
    const reason = engineHere ? await whyNoEngine() : undefined
    // For this process, which asks for what is required, and for the suites.
    if (reason !== undefined) for (const each of [process.env, env]) each[noEngine] = reason
    outcomes.push(...requiredParts().flatMap(missingPart), step("build", [process.execPath, "scripts/build.ts"]))
  }
  if (chosen.includes("check")) {
    outcomes.push(step("lint", [tool("biome"), "check", "."]), step("types", [tool("tsc"), "--noEmit", "-p", "."]))
  }
  const suites = chosen.filter((name) => name !== "check")
  outcomes.push(...(await runSuites(suites, { root, env, scratch, jobs, deadline })))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
process.exit(summarize(outcomes, minutes, performance.now() / 1000))

/** A number above zero of the environment. */
function setting(name: string, usual: number): number {
  const value = Number(process.env[name] ?? usual)
  if (value > 0) return value
  console.error(`${name}: not a number above zero: ${process.env[name]}`)
  process.exit(2)
}

/** A part that must be here and is not is a failure of its own, whatever the suites make of it. */
function missingPart(part: string): Outcome[] {
  const reason = whyMissing(part)
  if (reason === undefined || part === "binary") return []
  console.error(`BOTTLE_TEST_REQUIRE names ${part}, but ${reason}`)
  return [{ ...outcomeOf(`needs ${part}`), failed: 1 }]
}

/** One program that passes or fails as a whole. */
function step(name: string, argv: string[]): Outcome {
  console.error(`\n== ${name}`)
  const start = performance.now()
  const { exitCode } = Bun.spawnSync(argv, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] })
  const failed = exitCode === 0 ? 0 : 1
  return { ...outcomeOf(name), passed: 1 - failed, failed, seconds: (performance.now() - start) / 1000 }
}
