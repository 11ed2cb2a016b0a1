import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { makeBottles } from "../support/bench/many-bottles.ts"
import { makeBenchPlace } from "../support/bench/place.ts"
import { cpuSeconds, memoryOf } from "../support/bench/processes.ts"
import { median } from "../support/bench/rounds.ts"
import type { Bench } from "./bench.ts"

const bottles = 100
const proposals = 500

const bench: Bench = {
  name: "dashboard",
  summary: "the dashboard with 100 bottles and 500 proposals: key to frame, and what it costs while nothing happens",
  async run(context) {
    const binary = await context.binary()
    const place = makeBenchPlace(join(context.scratch, "d"))
    const sockets = join(context.scratch, "s")
    mkdirSync(sockets)
    context.say(`making ${bottles} bottles and ${proposals} proposals`)
    await makeBottles(join(place.env.HOME ?? "", ".bot-bottle"), sockets, bottles, proposals)

    let shown = ""
    let heard = () => {}
    const decoder = new TextDecoder()
    const child = Bun.spawn([binary, "dashboard"], {
      env: { ...place.env, TERM: "xterm-256color" },
      cwd: place.work,
      terminal: {
        cols: 200,
        rows: 50,
        data(_terminal, bytes) {
          shown += decoder.decode(bytes, { stream: true })
          heard()
        },
      },
    })
    context.defer(() => child.kill())
    const output = (until: () => boolean) =>
      new Promise<void>((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`the dashboard drew nothing: ${JSON.stringify(shown.slice(-500))}`)),
          30_000,
        )
        heard = () => {
          if (!until()) return
          clearTimeout(late)
          resolve()
        }
        heard()
      })
    await output(() => shown.includes(String(proposals)) && shown.includes(String(bottles)))
    await Bun.sleep(3_000)

    context.say("pressing keys")
    const times: number[] = []
    const sizes: number[] = []
    child.terminal?.write("\t")
    await Bun.sleep(500)
    for (let round = 0; round < (context.quick ? 40 : 200); round += 1) {
      shown = ""
      const start = performance.now()
      child.terminal?.write(["j", "G", "k", "g"][round % 4] ?? "j")
      await output(() => shown.length > 0)
      times.push(performance.now() - start)
      await Bun.sleep(40)
      sizes.push(shown.length)
    }
    const sorted = times.toSorted((a, b) => a - b)
    const late = sorted[Math.floor(sorted.length * 0.95)] ?? 0

    context.say("leaving it alone")
    const rest = context.quick ? 10 : 40
    await Bun.sleep(2_000)
    const before = cpuSeconds(child.pid)
    shown = ""
    await Bun.sleep(rest * 1_000)
    const idle = ((cpuSeconds(child.pid) - before) / rest) * 100
    const written = shown.length
    const memory = memoryOf([child.pid])
    child.terminal?.write("q")
    await child.exited
    return {
      method: `A pty of 200 x 50; the time from a key (j, G, k, g) to the first byte of its frame, ${times.length} keys; CPU time of the process over ${rest} s without a key.`,
      findings: [
        { what: "key to frame, median", value: median(times), unit: "ms", aim: { atMost: 50 } },
        { what: "key to frame, 95 of 100", value: late, unit: "ms", aim: { atMost: 50 } },
        {
          what: "CPU a second while nothing happens (5 ms is 0.5 %)",
          value: idle * 10,
          unit: "ms",
          aim: { atMost: 5 },
        },
        { what: "private memory", value: memory.private, unit: "MB" },
      ],
      tables: [
        {
          title: "What is written to the terminal (bytes)",
          columns: ["bytes"],
          rows: [
            ["a key, median", median(sizes)],
            [`${rest} s without a key`, written],
          ],
        },
      ],
      notes: ["one process of the bench answers for all keepers, so theirs is not in the numbers"],
    }
  },
}

export default bench
