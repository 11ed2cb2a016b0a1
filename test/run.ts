import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { whyNoEngine } from "./support/docker/trial.ts"
import { noEngine, requiredParts, whyMissing } from "./support/require.ts"
import { installAgents, installPrograms } from "./support/require-install.ts"

/**
 * `npm test`: install what the suites need where that is ours to do, build `dist/bottle`, check format, lint and
 * types, run every suite, and end with `N passed, N failed, N skipped`. Arguments choose parts: `check`, a suite.
 * `BOTTLE_TEST_MINUTES` is for a machine that gives only so much time: each suite has its share, files for which it is over
 * are not begun, named, and counted as failed.
 */

interface Outcome {
  name: string
  passed: number
  failed: number
  skipped: number
  seconds: number
  /** `file: name` of each test that failed, for the last lines: the log between is long, and CI keeps its end. */
  failures: string[]
  /** Files that were not begun, since the time was over. */
  late: string[]
}

const root = join(import.meta.dir, "..")
const tool = (name: string) => join(root, "node_modules", ".bin", name)
const standard = ["check", "unit", "integration", "security", "e2e"]
const known = [...standard, "soak"]
const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }

const chosen = process.argv.length > 2 ? process.argv.slice(2) : standard
const unknown = chosen.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`unknown part: ${unknown.join(", ")}; known: ${known.join(", ")}`)
  process.exit(2)
}

const minutes = Number(process.env.BOTTLE_TEST_MINUTES ?? Number.POSITIVE_INFINITY)
if (!(minutes > 0)) {
  console.error(`BOTTLE_TEST_MINUTES: not a number of minutes: ${process.env.BOTTLE_TEST_MINUTES}`)
  process.exit(2)
}
/** When no further file is begun, in ms of `performance.now()`. */
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
  for (const [index, name] of chosen.entries()) {
    const share = (deadline - performance.now()) / (chosen.length - index)
    if (name !== "check") outcomes.push(await suite(name, performance.now() + share))
    else outcomes.push(step("lint", [tool("biome"), "check", "."]), step("types", [tool("tsc"), "--noEmit", "-p", "."]))
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
process.exit(summarize(outcomes))

/** A part that must be here and is not is a failure of its own, whatever the suites make of it. */
function missingPart(part: string): Outcome[] {
  const reason = whyMissing(part)
  if (reason === undefined || part === "binary") return []
  console.error(`BOTTLE_TEST_REQUIRE names ${part}, but ${reason}`)
  return [{ name: `needs ${part}`, passed: 0, failed: 1, skipped: 0, seconds: 0, failures: [], late: [] }]
}

/** One program that passes or fails as a whole. */
function step(name: string, argv: string[]): Outcome {
  console.error(`\n== ${name}`)
  const start = performance.now()
  const { exitCode } = Bun.spawnSync(argv, { cwd: root, env, stdin: "ignore", stdout: "inherit", stderr: "inherit" })
  const failed = exitCode === 0 ? 0 : 1
  const seconds = (performance.now() - start) / 1000
  return { name, passed: 1 - failed, failed, skipped: 0, seconds, failures: [], late: [] }
}

/** One folder of tests, counted by bun's own reports: the unit tests at once, of the others each file by itself. */
async function suite(name: string, until: number): Promise<Outcome> {
  console.error(`\n== ${name}`)
  const start = performance.now()
  const outcome: Outcome = { name, passed: 0, failed: 0, skipped: 0, seconds: 0, failures: [], late: [] }
  const all = [...new Bun.Glob("**/*.test.ts").scanSync({ cwd: join(root, "test", name), onlyFiles: true })]
  const files = name === "unit" ? [""] : all.sort(slowLast)
  for (const file of files) {
    if (performance.now() < until) await addFile(outcome, `./test/${name}/${file}`)
    else outcome.late.push(`test/${name}/${file}`)
  }
  outcome.failed += outcome.late.length
  outcome.seconds = (performance.now() - start) / 1000
  return outcome
}

/** By name, but first the many, then what takes minutes, then what has an engine of its own. */
function slowLast(one: string, other: string): number {
  const rank = (file: string) => (/docker|scale/.test(file) ? 2 : /breakout|guards|kill-/.test(file) ? 1 : 0)
  return rank(one) - rank(other) || one.localeCompare(other)
}

async function addFile(outcome: Outcome, path: string): Promise<void> {
  const report = join(scratch, "report.xml")
  rmSync(report, { force: true })
  const argv = ["test", path, "--timeout=300000", "--reporter=junit", `--reporter-outfile=${report}`]
  const stdio = ["ignore", "inherit", "inherit"] as const
  const child = Bun.spawn([process.execPath, ...argv], { cwd: root, env, stdio: [...stdio] })
  const code = await child.exited
  const written = existsSync(report) ? readFileSync(report, "utf8") : ""
  const head = /<testsuites [^>]*>/.exec(written)?.[0] ?? ""
  const count = (attribute: string) => Number(new RegExp(`\\b${attribute}="(\\d+)"`).exec(head)?.[1] ?? 0)
  const failures = failedTests(written)
  // A file that throws while loading, or a crash of the runner, is not in the report.
  if (code !== 0 && count("failures") === 0) failures.push(`${path}: ended with ${code}`)
  outcome.skipped += count("skipped")
  outcome.failed += Math.max(failures.length, count("failures"))
  outcome.passed += count("tests") - count("failures") - count("skipped")
  outcome.failures.push(...failures)
}

/** What bun's JUnit report says of tests that failed, as `file: describe > name`. */
function failedTests(report: string): string[] {
  const plain = (text = "") => text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? "")
  const attribute = (tag: string, name: string) => plain(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1])
  const tags = [...report.matchAll(/<testcase ([^>]*[^/>])>\s*<failure/g)].map((match) => ` ${match[1]}`)
  return tags.map((tag) => `${attribute(tag, "file")}: ${attribute(tag, "classname")} > ${attribute(tag, "name")}`)
}

function summarize(all: readonly Outcome[]): number {
  const total = (key: "passed" | "failed" | "skipped") => all.reduce((sum, outcome) => sum + outcome[key], 0)
  console.log(`\n${"".padEnd(16)}passed  failed skipped seconds`)
  for (const { name, passed, failed, skipped, seconds } of all) {
    const cells = [passed, failed, skipped, seconds.toFixed(1)].map((cell) => String(cell).padStart(8))
    console.log(`${name.padEnd(14)}${cells.join("")}`)
  }
  const list = (title: string, lines: readonly string[]) => {
    if (lines.length > 0) console.log(`\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`)
  }
  const late = all.flatMap((outcome) => outcome.late)
  list(`not begun, and so not tested, as ${minutes} minutes were too few for ${late.length} files`, late)
  list(
    "failed",
    all.flatMap((outcome) => outcome.failures),
  )
  console.log(`\n${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped`)
  return total("failed") === 0 ? 0 : 1
}
