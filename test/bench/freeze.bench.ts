import { mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { installPrograms } from "../support/bench/install.ts"
import { makeBenchPlace } from "../support/bench/place.ts"
import { medianRatio } from "../support/bench/rounds.ts"
import { spread, timeRun } from "../support/bench/timed.ts"
import { busyboxTree, importImage, makeEngine } from "../support/docker/engine.ts"
import { whyMissing } from "../support/require.ts"
import type { Bench, BenchContext, Finding, Table } from "./bench.ts"

/** A workspace of so many files, of 4 kB each. */
const files = 200
const agent = `if [ -e made ]; then exit 0; fi; mkdir d; i=0; while [ $i -lt ${files} ]; do i=$((i+1)); head -c 4096 /dev/urandom > d/$i; done; touch made; exit 3`
const docker = "agent_provider: {template: command}\ndocker: {image: 'busybox:1'}\nsupervise: false"

const bench: Bench = {
  name: "freeze",
  summary: "freezing a kept bottle, and resuming it from the freeze, on both backends",
  async run(context) {
    const notes = [...installPrograms(["bwrap"], context.say)]
    const rounds = context.quick ? 5 : 15
    const lives = [await measure(context, "namespace", rounds, {})]
    const missing = whyMissing("dockerd") ?? whyMissing("busybox")
    if (missing === undefined) lives.push(await measure(context, "docker", rounds, await startEngine(context)))
    else notes.push(`docker was not measured: ${missing}`)
    return {
      method: `Wall time from spawn to exit, page cache warm, medians of ${rounds} rounds: a workspace of ${files} files of 4 kB is frozen at rest, then resumed headless; the resume checks every hash, thaws, proves the fence and runs the agent to its end.`,
      findings: lives.flatMap(({ findings }) => findings),
      tables: lives.map(({ table }) => table),
      notes,
    }
  },
}

/** An engine of the bench's own, as variables of the environment. */
async function startEngine(context: BenchContext): Promise<Record<string, string>> {
  const { engine, up, down } = makeEngine()
  context.defer(down)
  context.say("starting an engine of its own")
  await up()
  await importImage(engine, await busyboxTree(mkdtempSync(join(tmpdir(), "bbi-"))), "busybox:1")
  return { DOCKER_HOST: engine.host }
}

async function measure(
  context: BenchContext,
  backend: "namespace" | "docker",
  rounds: number,
  more: Record<string, string>,
): Promise<{ findings: Finding[]; table: Table }> {
  const binary = await context.binary()
  const place = makeBenchPlace(join(context.scratch, `freeze-${backend}`))
  const home = join(place.env.HOME ?? "", ".bot-bottle")
  if (backend === "docker") writeFileSync(join(home, "bottles/bench.md"), `---\n${docker}\n---\n`)
  const env = { ...place.env, ...more, BOT_BOTTLE_BACKEND: backend }
  const bottle = (...args: string[]) => timeRun({ argv: [binary, ...args], env, cwd: place.work })
  await bottle("start", "--headless", "--bottle", "bench", "--", "sh", "-c", agent).catch(() => undefined)
  const [slug = ""] = readdirSync(join(home, "state"))
  const times: Record<"freeze" | "resume" | "plain", number[]> = { freeze: [], resume: [], plain: [] }
  context.say(`${backend}: freezing and resuming ${rounds} times`)
  for (let round = -1; round < rounds; round += 1) {
    const freeze = await bottle("freeze", slug, "--yes")
    const resume = await bottle("resume", slug, "--headless")
    const plain = await bottle("resume", slug, "--headless")
    if (round < 0) continue
    times.freeze.push(freeze)
    times.resume.push(resume)
    times.plain.push(plain)
  }
  await bottle("destroy", slug, "--yes")
  const aim = { atMost: backend === "docker" ? 2_000 : 1_000 }
  return {
    findings: [
      { what: `${backend}: resume from a freeze`, value: spread(times.resume)[0], unit: "ms", aim },
      { what: `${backend}: the same over a plain resume`, value: medianRatio(times.resume, times.plain), unit: "x" },
      { what: `${backend}: freeze at rest`, value: spread(times.freeze)[0], unit: "ms" },
    ],
    table: {
      title: `A bottle with ${files} files, ${backend} (ms)`,
      columns: ["median", "fastest", "slowest"],
      rows: Object.entries(times).map(([name, values]) => [name, ...spread(values)] as const),
    },
  }
}

export default bench
