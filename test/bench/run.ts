import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { build } from "../support/bench/build.ts"
import { isMet, type Result, renderMarkdown, renderText } from "../support/bench/report.ts"
import type { Bench, BenchContext } from "./bench.ts"

/**
 * `npm run bench [-- name… --quick --json --table FILE --strict]`: run the benches named, or all, one after the other.
 * What they say goes to stdout; `--json` makes it data, `--table` writes it as Markdown too, and with `--strict` an
 * aim that was not met is exit 1.
 */

const benches: Readonly<Record<string, () => Promise<{ default: Bench }>>> = {
  version: () => import("./version.bench.ts"),
  start: () => import("./start.bench.ts"),
  docker: () => import("./docker.bench.ts"),
  freeze: () => import("./freeze.bench.ts"),
  egress: () => import("./egress.bench.ts"),
  memory: () => import("./memory.bench.ts"),
  policy: () => import("./policy.bench.ts"),
  hostile: () => import("./hostile.bench.ts"),
  proposals: () => import("./proposals.bench.ts"),
  audit: () => import("./audit.bench.ts"),
  tmux: () => import("./tmux.bench.ts"),
  completion: () => import("./completion.bench.ts"),
  dashboard: () => import("./dashboard.bench.ts"),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    table: { type: "string" },
    help: { type: "boolean", default: false },
  },
})
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name))
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such bench: ${unknown.join(", ")}`)
  console.error("npm run bench -- [name…] [--quick] [--json] [--table FILE] [--strict]\n")
  for (const load of Object.values(benches)) {
    const { name, summary } = (await load()).default
    console.error(`  ${name.padEnd(10)}${summary}`)
  }
  process.exit(unknown.length > 0 ? 2 : 0)
}

/** Longest time for one bench: five of them stay below 15 minutes, quick ones below 3. */
const limit = values.quick ? 90_000 : 400_000

// Not private: squid, and a bottle of a bench started by root, look into it as other users.
const scratch = mkdtempSync(join(tmpdir(), "bottle-bench-"))
Bun.spawnSync(["chmod", "755", scratch])
const undone: (() => void | Promise<void>)[] = []
let binary: Promise<string> | undefined

async function undoAll(): Promise<void> {
  for (let undo = undone.pop(); undo !== undefined; undo = undone.pop()) await undo()
}

async function leave(code: number): Promise<never> {
  await undoAll()
  rmSync(scratch, { recursive: true, force: true })
  process.exit(code)
}

const context: BenchContext = {
  quick: values.quick,
  scratch,
  binary: () => {
    binary ??= build({ outfile: join(scratch, "bottle") })
    return binary
  },
  say: (text) => console.error(`   ${text}`),
  defer: (undo) => undone.push(undo),
}

async function runBench(name: string, load: () => Promise<{ default: Bench }>): Promise<Result> {
  console.error(`${name}:`)
  const from = performance.now()
  const seconds = () => (performance.now() - from) / 1000
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`not done after ${limit / 1000} s`)), limit)
  try {
    const report = await Promise.race([load().then(({ default: bench }) => bench.run(context)), late.promise])
    return { name, seconds: seconds(), report }
  } catch (error) {
    return { name, seconds: seconds(), error: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
    await undoAll()
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void leave(130))

const results: Result[] = []
for (const [name, load] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const result = await runBench(name, load)
  results.push(result)
  if (!values.json) console.log(renderText(result))
}
if (values.json) console.log(JSON.stringify({ schemaVersion: 1, results }, null, 2))
if (values.table !== undefined) writeFileSync(values.table, renderMarkdown(results))
const failed = results.some((result) => "error" in result)
const missed = results.some(
  (result) => "report" in result && result.report.findings.some((one) => isMet(one) === false),
)
await leave(failed || (values.strict && missed) ? 1 : 0)
