import { cpSync, mkdtempSync } from "node:fs"
import { join } from "node:path"
import { median } from "../support/bench/rounds.ts"
import { spread } from "../support/bench/timed.ts"
import { startDesk } from "../support/bench/tmux-desk.ts"
import type { Bench } from "./bench.ts"

const bench: Bench = {
  name: "tmux",
  summary: "from an agent's call to the badge and to the popup, and one push of the badge",
  async run(context) {
    if (Bun.which("tmux") === null) throw new Error("tmux is not installed")
    // Two calls each: an agent that asks more than 25 times in a row is held back.
    const rounds = context.quick ? 5 : 12
    const bin = join(mkdtempSync(join(context.scratch, "tmux-")), "bottle")
    cpSync(await context.binary(), bin)
    context.say("starting a bottle beside a tmux with the plugin")
    const desk = await startDesk(bin, context)
    context.say("timing calls to the badge")
    const badge: number[] = []
    for (let round = 0; round < rounds; round++) badge.push(await desk.callToBadge())
    context.say("timing calls to the popup")
    await desk.notify("popup")
    const popup: number[] = []
    for (let round = 0; round < rounds; round++) popup.push(await desk.callToPopup())
    const push = await desk.push(rounds)
    return {
      method: `From the bytes of the agent's call leaving a process in its bottle to the option being set, and to the popup's text being on the outer terminal's screen; medians of ${rounds} calls, one at a time. A tmux client that looks takes some milliseconds itself, which are in it.`,
      findings: [
        { what: "agent's call to badge", value: median(badge), unit: "ms", aim: { atMost: 100 } },
        { what: "agent's call to popup drawn", value: median(popup), unit: "ms", aim: { atMost: 150 } },
        { what: "one push of the badge to a server", value: median(push), unit: "ms", aim: { atMost: 30 } },
      ],
      tables: [
        {
          title: "Telling the operator (ms)",
          columns: ["median", "fastest", "slowest"],
          rows: [
            ["call to badge", ...spread(badge)],
            ["call to popup", ...spread(popup)],
            ["push", ...spread(push)],
          ],
        },
      ],
      notes: [],
    }
  },
}

export default bench
