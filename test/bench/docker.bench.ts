import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { installPrograms } from "../support/bench/install.ts"
import { makeBenchPlace } from "../support/bench/place.ts"
import { medianRatio } from "../support/bench/rounds.ts"
import { spread, type Timed, timeInTurn } from "../support/bench/timed.ts"
import { busyboxTree, importImage, makeEngine } from "../support/docker/engine.ts"
import { whyMissing } from "../support/require.ts"
import type { Bench, Report } from "./bench.ts"

const bench: Bench = {
  name: "docker",
  summary: "a whole bottle in containers around `true`, against `docker run --rm --network none`",
  async run(context) {
    installPrograms(["bwrap"], context.say)
    const missing = whyMissing("dockerd") ?? whyMissing("busybox")
    if (missing !== undefined) return nothing(missing)
    const rounds = context.quick ? 5 : 15
    const binary = await context.binary()
    const { engine, up, down } = makeEngine()
    context.defer(down)
    context.say("starting an engine of its own")
    await up()
    await importImage(engine, await busyboxTree(mkdtempSync(join(tmpdir(), "bbi-"))), "busybox:1")
    const place = makeBenchPlace(join(context.scratch, "docker"))
    const bottle =
      "agent_provider: {template: command}\ndocker: {image: 'busybox:1'}\negress: {routes: [{host: example.com}]}"
    writeFileSync(join(place.env.HOME ?? "", ".bot-bottle/bottles/bench.md"), `---\n${bottle}\n---\n`)
    const env = { ...place.env, DOCKER_HOST: engine.host }
    const start = ["start", "--headless", "--discard", "--backend", "docker", "--bottle", "bench"]
    const bare = (network: string) => ["docker", "run", "--rm", "--network", network, "busybox:1", "busybox", "true"]
    const two = `${bare("none").join(" ")} & ${bare("bridge").join(" ")} & wait`
    const runs: Record<string, Timed> = {
      bottle: { argv: [binary, ...start, "--", "busybox", "true"], env, cwd: place.work },
      "docker run": { argv: bare("none"), env },
      "two docker run at once": { argv: ["sh", "-c", two], env },
    }
    context.say("timing a bottle and docker run in turn")
    const times = await timeInTurn(runs, rounds)
    const [ours = [], theirs = []] = [times.bottle, times["docker run"]]
    return {
      method: `Wall time from spawn to exit, images warm, medians of ${rounds} interleaved rounds on an engine of the bench's own (${await engine.docker("version", "-f", "{{.Server.Version}}")}). The bottle is two containers, three volumes, sidecars with their policy and a fence proved from both sides, and all of it taken away again.`,
      findings: [
        {
          what: "bottle start --backend docker -- true over docker run --rm --network none true",
          value: medianRatio(ours, theirs),
          unit: "x",
          aim: { atMost: 2.2 },
        },
        {
          what: "the same over two docker run at once, one with the bridge: a bottle is two containers",
          value: medianRatio(ours, times["two docker run at once"] ?? []),
          unit: "x",
        },
      ],
      tables: [
        {
          title: "A container around `true` (ms)",
          columns: ["median", "fastest", "slowest"],
          rows: Object.entries(times).map(([name, values]) => [name, ...spread(values)] as const),
        },
      ],
      notes: [],
    }
  },
}

const nothing = (why: string): Report => ({
  method: "Not measured.",
  findings: [],
  tables: [],
  notes: [`nothing was measured: ${why}`],
})

export default bench
