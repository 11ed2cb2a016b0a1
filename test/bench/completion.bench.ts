import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeBottles } from "../support/bench/many-bottles.ts"
import { makeBenchPlace } from "../support/bench/place.ts"
import { median, medianRatio } from "../support/bench/rounds.ts"
import { spread, timeInTurn } from "../support/bench/timed.ts"
import type { Bench } from "./bench.ts"

const bottles = 100
const proposals = 500

/** Calls bash's own completion function so often, and prints the microseconds of each call and how many words it offered. */
const inBash = `
. "$1"
complete_once() {
  COMP_WORDS=(bottle "$@" "") COMP_CWORD=$(($# + 1))
  local before=$EPOCHREALTIME
  _bottle
  local after=$EPOCHREALTIME
  echo "$((\${after/./} - \${before/./})) \${#COMPREPLY[@]}"
}
for ((round = 0; round < $2; round++)); do complete_once stop; complete_once proposals show; done
`

const bench: Bench = {
  name: "completion",
  summary: "names for a shell's completion, with 100 bottles and 500 proposals",
  async run(context) {
    const binary = await context.binary()
    const place = makeBenchPlace(join(context.scratch, "c"))
    const bin = join(context.scratch, "bin")
    const sockets = join(context.scratch, "k")
    for (const dir of [bin, sockets]) mkdirSync(dir)
    symlinkSync(binary, join(bin, "bottle"))
    await makeBottles(join(place.env.HOME ?? "", ".bot-bottle"), sockets, bottles, proposals)
    const at = { env: { ...place.env, PATH: `${bin}:${place.env.PATH}` }, cwd: place.work }
    const rounds = context.quick ? 11 : 41

    context.say("timing the listing of names")
    const times = await timeInTurn(
      {
        slugs: { argv: [binary, "__complete", "slugs"], ...at },
        proposals: { argv: [binary, "__complete", "proposals"], ...at },
        "--version": { argv: [binary, "--version"], ...at },
      },
      rounds,
    )

    context.say("completing in bash")
    const script = join(context.scratch, "bottle.bash")
    writeFileSync(script, Bun.spawnSync([binary, "completions", "bash"], at).stdout)
    const said = Bun.spawnSync(
      ["bash", "--norc", "-c", inBash, "bash", script, String(rounds + 1)],
      at,
    ).stdout.toString()
    const calls = said
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number) as [microseconds: number, offered: number])
    const tabs = (offered: number) => calls.filter((call) => call[1] === offered).map(([us]) => us / 1_000)
    const [stop, show] = [tabs(bottles), tabs(proposals)]
    if (stop.length !== rounds + 1 || show.length !== rounds + 1)
      throw new Error(`bash was offered other names: ${said}`)
    return {
      method: `A home with ${bottles} bottles and ${proposals} open proposals. Wall time of whole commands, and of bash's completion function for \`bottle stop\` and \`bottle proposals show\`; medians of ${rounds} rounds.`,
      findings: [
        { what: "Tab after `bottle stop`, in bash", value: median(stop.slice(1)), unit: "ms", aim: { atMost: 40 } },
        {
          what: "Tab after `bottle proposals show`, in bash",
          value: median(show.slice(1)),
          unit: "ms",
          aim: { atMost: 40 },
        },
        {
          what: "listing the slugs over `bottle --version`",
          value: medianRatio(times.slugs, times["--version"]),
          unit: "x",
        },
      ],
      tables: [
        {
          title: "Names for completion (ms)",
          columns: ["median", "fastest", "slowest"],
          rows: [
            ["bash: bottle stop", ...spread(stop.slice(1))],
            ["bash: bottle proposals show", ...spread(show.slice(1))],
            ["bottle __complete slugs", ...spread(times.slugs)],
            ["bottle __complete proposals", ...spread(times.proposals)],
            ["bottle --version", ...spread(times["--version"])],
          ],
        },
      ],
      notes: [],
    }
  },
}

export default bench
