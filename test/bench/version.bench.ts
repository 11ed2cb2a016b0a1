import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "../support/bench/build.ts"
import { measureIdleBottle } from "../support/bench/idle-bottle.ts"
import { makeBenchPlace } from "../support/bench/place.ts"
import { median, medianRatio } from "../support/bench/rounds.ts"
import { spread, type Timed, timeInTurn } from "../support/bench/timed.ts"
import type { Bench, Finding, Table } from "./bench.ts"

const bench: Bench = {
  name: "version",
  summary: "the command line's own start, with and without bytecode, against an empty program",
  async run(context) {
    const file = (name: string) => join(context.scratch, name)
    writeFileSync(file("empty.ts"), "export {}\n")
    context.say("building an empty program and bottle, with and without bytecode")
    const binary = await context.binary()
    const empty = await build({ entry: file("empty.ts"), outfile: file("empty") })
    const plain = await build({ bytecode: false, outfile: file("bottle-plain") })
    const coded = await build({ bytecode: true, outfile: file("bottle-bytecode") })
    const place = makeBenchPlace(file("version"))
    const rounds = context.quick ? 11 : 41

    context.say("timing --version")
    const version = await timeInTurn(
      { "bottle --version": one(binary, "--version"), "empty program": one(empty) },
      rounds,
    )
    const [ours, theirs] = [version["bottle --version"], version["empty program"]]
    const findings: Finding[] = [
      {
        what: "bottle --version over an empty compiled program",
        value: medianRatio(ours, theirs),
        unit: "x",
        aim: { atMost: 1.3 },
      },
    ]

    context.say("timing with and without bytecode")
    const start = ["start", "--headless", "--bottle", "bench"]
    const works: Record<string, { args: string[]; rounds: number }> = {
      "--version": { args: ["--version"], rounds },
      "start --dry-run": { args: [...start, "--dry-run", "--", "true"], rounds },
      "start -- true": { args: [...start, "--discard", "--", "true"], rounds: context.quick ? 5 : 15 },
    }
    const rows: Table["rows"][number][] = []
    for (const [name, work] of Object.entries(works)) {
      const at = { env: place.env, cwd: place.work }
      const times = await timeInTurn(
        { plain: { ...one(plain, ...work.args), ...at }, coded: { ...one(coded, ...work.args), ...at } },
        work.rounds,
      )
      findings.push({
        what: `${name}, with bytecode over without`,
        value: medianRatio(times.coded, times.plain),
        unit: "x",
      })
      rows.push([`${name} (ms)`, median(times.plain), median(times.coded)])
    }
    const memory = {
      plain: await measureIdleBottle(plain, context, 2),
      coded: await measureIdleBottle(coded, context, 2),
    }
    const sum = (of: typeof memory.plain) => of.sidecars.private
    findings.push({
      what: "private memory of the idle sidecars, with bytecode over without",
      value: sum(memory.coded) / sum(memory.plain),
      unit: "x",
    })
    rows.push(["idle sidecars, private (MB)", sum(memory.plain), sum(memory.coded)])
    return {
      method: `Wall time from spawn to exit of warm programs built by scripts/build.ts with its own flags; medians of ${rounds} interleaved rounds (start: fewer).`,
      findings,
      tables: [
        {
          title: "Start of the command line (ms)",
          columns: ["median", "fastest", "slowest"],
          rows: [
            ["bottle --version", ...spread(ours)],
            ["empty program", ...spread(theirs)],
          ],
        },
        { title: "Bytecode (scripts/build.ts, `bytecode`)", columns: ["without", "with"], rows },
      ],
      notes: [],
    }
  },
}

const one = (binary: string, ...args: string[]): Timed => ({ argv: [binary, ...args] })

export default bench
