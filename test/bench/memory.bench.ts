import { measureIdleBottle } from "../support/bench/idle-bottle.ts"
import type { Bench } from "./bench.ts"

const bench: Bench = {
  name: "memory",
  summary: "private memory of the idle sidecars of one bottle",
  async run(context) {
    const rounds = context.quick ? 1 : 3
    const binary = await context.binary()
    context.say("starting bottles and leaving them alone")
    const idle = await measureIdleBottle(binary, context, rounds)
    const cells = ({ private: own, dirty, pss }: typeof idle.sidecars) => [own, dirty, pss] as const
    return {
      method: `A headless bottle whose agent sleeps, three seconds after it came up; medians of ${rounds} bottles. Private is Private_Clean + Private_Dirty of smaps_rollup: what one more bottle costs.`,
      findings: [
        {
          what: `private memory of the idle sidecars of one bottle (supervisor and egress, ${idle.processes} processes with bubblewrap's)`,
          value: idle.sidecars.private,
          unit: "MB",
          aim: { atMost: 40 },
        },
      ],
      tables: [
        {
          title: "Memory of one idle bottle (MB)",
          columns: ["private", "of it written", "PSS"],
          rows: [
            ["sidecars together", ...cells(idle.sidecars)],
            ...Object.entries(idle.parts).map(([name, memory]) => [name, ...cells(memory)] as const),
          ],
        },
      ],
      notes:
        idle.sidecars.source === "status"
          ? [
              "Not started by root: sidecars keep their smaps_rollup to themselves, so anonymous memory (RssAnon) is shown.",
            ]
          : [],
    }
  },
}

export default bench
