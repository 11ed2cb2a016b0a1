import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { installPeers, installPrograms, srt } from "../support/bench/install.ts"
import { makeBenchPlace } from "../support/bench/place.ts"
import { medianRatio } from "../support/bench/rounds.ts"
import { spread, type Timed, timeInTurn, timeRun } from "../support/bench/timed.ts"
import type { Bench, Finding } from "./bench.ts"

const bench: Bench = {
  name: "start",
  summary: "a whole bottle around `true`, against bare bubblewrap and srt",
  async run(context) {
    const notes = [...installPrograms(["bwrap", "socat", "rg"], context.say), ...installPeers(context.say)]
    const rounds = context.quick ? 7 : 25
    const binary = await context.binary()
    const place = makeBenchPlace(join(context.scratch, "start"))
    const runs: Record<string, Timed> = {
      bottle: {
        argv: [binary, "start", "--headless", "--discard", "--bottle", "bench", "--", "true"],
        env: place.env,
        cwd: place.work,
      },
      bwrap: { argv: ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"] },
    }
    const peer = sandboxRuntime(join(context.scratch, "srt"))
    const failure = notes.length > 0 ? "not installed" : await complaintOf(peer)
    if (failure === undefined) runs.srt = peer
    else notes.push(`srt was not measured: ${failure}`)
    context.say(`timing ${Object.keys(runs).join(", ")}`)
    const times = await timeInTurn(runs, rounds)
    const ours = times.bottle ?? []
    const findings: Finding[] = [
      { what: "bottle start -- true", value: spread(ours)[0], unit: "ms", aim: { atMost: 60 } },
    ]
    if (times.srt !== undefined) {
      const value = medianRatio(ours, times.srt)
      findings.push({ what: "bottle start -- true over srt true", value, unit: "x", aim: { atMost: 0.25 } })
    }
    findings.push({
      what: "bottle start -- true over bwrap true",
      value: medianRatio(ours, times.bwrap ?? []),
      unit: "x",
    })
    return {
      method: `Wall time from spawn to exit, page cache warm, medians of ${rounds} interleaved rounds, as ${process.getuid?.() === 0 ? "root" : "an ordinary user"}. The bottle has its sidecars, a proven fence and \`--discard\`; bwrap is a read-only root without a network, and nothing else; srt allows one domain and writes to its directory.`,
      findings,
      tables: [
        {
          title: "A sandbox around `true` (ms)",
          columns: ["median", "fastest", "slowest"],
          rows: Object.entries(times).map(([name, values]) => [name, ...spread(values)] as const),
        },
      ],
      notes,
    }
  },
}

function sandboxRuntime(directory: string): Timed {
  mkdirSync(directory, { recursive: true })
  const settings = join(directory, "settings.json")
  const network = { allowedDomains: ["example.com"], deniedDomains: [] }
  const filesystem = { denyRead: [], allowWrite: ["."], denyWrite: [] }
  writeFileSync(settings, JSON.stringify({ network, filesystem }))
  return {
    argv: [srt.path, "--settings", settings, "true"],
    env: { PATH: `${srt.nodeBin}:${process.env.PATH}`, HOME: directory },
    cwd: directory,
  }
}

/** What a program says when it cannot run here. */
async function complaintOf(run: Timed): Promise<string | undefined> {
  try {
    await timeRun(run)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export default bench
