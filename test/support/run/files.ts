import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { writeAll } from "../../../src/lib/stdio.ts"
import { addReport, type Outcome, outcomeOf } from "./outcome.ts"
import { inOrder, type TestFile, takeNext } from "./schedule.ts"

/** How files of tests are run. */
export interface FileRun {
  root: string
  env: Record<string, string | undefined>
  /** For reports and what is printed meanwhile. */
  scratch: string
  /** How many files at once. */
  jobs: number
  /** When no further file is begun, in ms of `performance.now()`. */
  deadline: number
}

/** The files of a suite. Unit tests take milliseconds each: they are run at once. */
export function filesOf(root: string, suite: string): TestFile[] {
  if (suite === "unit") return [{ suite, path: "./test/unit/" }]
  const cwd = join(root, "test", suite)
  const names = [...new Bun.Glob("**/*.test.ts").scanSync({ cwd, onlyFiles: true })].sort()
  return names.map((name) => ({ suite, path: `./test/${suite}/${name}` }))
}

/** Run the suites, several files at once, each in a process of its own. What a file prints comes when it ends. */
export async function runSuites(suites: readonly string[], run: FileRun): Promise<Outcome[]> {
  const outcomes = new Map(suites.map((name) => [name, outcomeOf(name)]))
  const queue = inOrder(suites.flatMap((name) => filesOf(run.root, name)))
  const running: TestFile[] = []
  const work = async () => {
    for (;;) {
      if (performance.now() > run.deadline) return
      const file = takeNext(queue, running)
      const outcome = file && outcomes.get(file.suite)
      if (file === undefined || outcome === undefined) return
      running.push(file)
      await runFile(file, outcome, run)
      running.splice(running.indexOf(file), 1)
    }
  }
  await Promise.all(Array.from({ length: run.jobs }, work))
  for (const { suite, path } of queue) outcomes.get(suite)?.late.push(path)
  for (const outcome of outcomes.values()) outcome.failed += outcome.late.length
  return [...outcomes.values()]
}

async function runFile({ path }: TestFile, outcome: Outcome, run: FileRun): Promise<void> {
  const base = join(run.scratch, path.replaceAll(/[^\w-]/g, "_"))
  const [report, printed] = [`${base}.xml`, `${base}.log`]
  const argv = ["test", path, "--timeout=300000", "--reporter=junit", `--reporter-outfile=${report}`]
  const start = performance.now()
  // One file for both, at whose end each writes.
  const output = openSync(printed, "a")
  const child = Bun.spawn([process.execPath, ...argv], {
    cwd: run.root,
    env: run.env,
    stdio: ["ignore", output, output],
  })
  closeSync(output)
  const code = await child.exited
  outcome.seconds += (performance.now() - start) / 1000
  // All of it before anything else is written: one file's lines are not to stand among another's.
  writeAll(2, readFileSync(printed, "utf8"))
  addReport(outcome, existsSync(report) ? readFileSync(report, "utf8") : "", path, code)
  rmSync(printed)
}
