/** What one part of `npm test` came to. */
export interface Outcome {
  name: string
  passed: number
  failed: number
  skipped: number
  /** How long it took; of a suite, all its files together. */
  seconds: number
  /** `file: name` of each test that failed, for the last lines: the log between is long, and CI keeps its end. */
  failures: string[]
  /** Files that were not begun, since the time was over. Each counts as failed. */
  late: string[]
}

export function outcomeOf(name: string): Outcome {
  return { name, passed: 0, failed: 0, skipped: 0, seconds: 0, failures: [], late: [] }
}

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }

/** Add what bun's JUnit report of a file says, and what it cannot: that the file does not load, or the runner crashed. */
export function addReport(outcome: Outcome, report: string, path: string, code: number | null): void {
  const head = /<testsuites [^>]*>/.exec(report)?.[0] ?? ""
  const count = (attribute: string) => Number(new RegExp(`\\b${attribute}="(\\d+)"`).exec(head)?.[1] ?? 0)
  const failures = failedTests(report)
  if (code !== 0 && count("failures") === 0) failures.push(`${path}: ended with ${code}`)
  outcome.skipped += count("skipped")
  outcome.failed += Math.max(failures.length, count("failures"))
  outcome.passed += count("tests") - count("failures") - count("skipped")
  outcome.failures.push(...failures)
}

/** The tests that failed, as `file: describe > name`. */
function failedTests(report: string): string[] {
  const plain = (text = "") => text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? "")
  const attribute = (tag: string, name: string) => plain(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1])
  const tags = [...report.matchAll(/<testcase ([^>]*[^/>])>\s*<failure/g)].map((match) => ` ${match[1]}`)
  return tags.map((tag) => `${attribute(tag, "file")}: ${attribute(tag, "classname")} > ${attribute(tag, "name")}`)
}

/** Print a table of them, what failed and what was left out. Returns the exit code. */
export function summarize(all: readonly Outcome[], minutes: number, wall: number): number {
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
  console.log(
    `\n${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped in ${wall.toFixed(0)} s`,
  )
  return total("failed") === 0 ? 0 : 1
}
