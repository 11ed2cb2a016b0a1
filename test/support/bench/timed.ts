import { interleave, median, type Rounds } from "./rounds.ts"

export interface Timed {
  argv: readonly string[]
  env?: Record<string, string>
  cwd?: string
}

/** Wall milliseconds from the start of a program to its end. Throws, with its words, when it does not end with 0. */
export async function timeRun(run: Timed): Promise<number> {
  const from = performance.now()
  const child = Bun.spawn([...run.argv], {
    env: run.env ?? { PATH: "/usr/bin:/bin", HOME: "/nonexistent" },
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: 120_000,
  })
  const code = await child.exited
  const milliseconds = performance.now() - from
  if (code !== 0) throw new Error(`${run.argv.join(" ")} ended with ${code}: ${await child.stderr.text()}`)
  return milliseconds
}

/** Time programs in turn, after two rounds that warm up and do not count. */
export async function timeInTurn<Name extends string>(
  runs: Readonly<Record<Name, Timed>>,
  rounds: number,
): Promise<Rounds<Name, number>> {
  const names = Object.keys(runs) as Name[]
  await interleave(names, 2, (name) => timeRun(runs[name]))
  return interleave(names, rounds, (name) => timeRun(runs[name]))
}

/** A table's cells for timed runs: the median, the fastest and the slowest, in ms. */
export function spread(times: readonly number[]): [median: number, fastest: number, slowest: number] {
  return [median(times), Math.min(...times), Math.max(...times)]
}
