import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LineReader } from "../../src/lib/lines.ts"
import { installPrograms } from "../support/bench/install.ts"
import { makeBenchPlace } from "../support/bench/place.ts"
import { spread, timeInTurn } from "../support/bench/timed.ts"
import { makeEngine } from "../support/docker/engine.ts"
import { importPackages, whyNoHostImage } from "../support/docker/host-image.ts"
import { whyMissing } from "../support/require.ts"
import type { Bench, BenchContext } from "./bench.ts"

/** Asks round after round, and says when it asked and when it had its answer, in nanoseconds. */
const agent = `
call() { curl -sN --noproxy '*' -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -d "$1" http://127.0.0.1:9100/mcp; }
for i in $(seq "$1"); do
  asked=$(date +%s%N)
  call '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"egress-block","arguments":{"host":"h'$i'.bench.dev","justification":"bench"}}}' > /dev/null
  echo "$i $asked $(date +%s%N)"
done`

const bench: Bench = {
  name: "proposals",
  summary: "from an agent's call to its operator's line, and back; a long queue listed",
  async run(context) {
    installPrograms(["bwrap", "curl"], context.say)
    const rounds = context.quick ? 5 : 25
    const binary = await context.binary()
    const place = makeBenchPlace(join(context.scratch, "proposals"))
    const options = { env: place.env, cwd: place.work }
    context.say(`${rounds} proposals, asked and approved`)
    const { out, back } = await timeAsking(binary, options, rounds)
    const docker = await onDocker(context, binary, rounds)

    context.say("listing 500 open of 10,500")
    fill(join(place.env.HOME ?? "", ".bot-bottle", "queue", "long-abc12"))
    const times = await timeInTurn(
      { list: { argv: [binary, "proposals", "list"], ...options } },
      context.quick ? 5 : 15,
    )
    return {
      method: `Medians of ${rounds} rounds on the namespace backend, and the same in containers: from before the agent's curl starts to the line of a watch that runs, and from before the command approve starts to the end of the agent's curl. The list is the whole command.`,
      findings: [
        { what: "agent's call to watch line", value: spread(out)[0], unit: "ms", aim: { atMost: 80 } },
        { what: "approve to agent unblocked", value: spread(back)[0], unit: "ms", aim: { atMost: 100 } },
        ...(docker === undefined
          ? []
          : [
              {
                what: "approve to agent unblocked, on docker",
                value: spread(docker.back)[0],
                unit: "ms" as const,
                aim: { atMost: 300 },
              },
            ]),
        {
          what: "list of 10,000 archived and 500 open",
          value: spread(times.list ?? [])[0],
          unit: "ms",
          aim: { atMost: 100 },
        },
      ],
      tables: [
        {
          title: "Proposals (ms)",
          columns: ["median", "fastest", "slowest"],
          rows: [
            ["call to line", ...spread(out)],
            ["approve to unblocked", ...spread(back)],
            ...(docker === undefined
              ? []
              : [
                  ["call to line, on docker", ...spread(docker.out)] as const,
                  ["approve to unblocked, on docker", ...spread(docker.back)] as const,
                ]),
            ["list", ...spread(times.list ?? [])],
          ],
        },
      ],
      notes: docker === undefined ? ["Docker was not measured: it needs root, dockerd and Debian's packages."] : [],
    }
  },
}

interface Options {
  env: Record<string, string>
  cwd: string
}

/** Rounds of an agent that asks and an operator who approves at the watch's line: there and back, in ms. */
async function timeAsking(
  binary: string,
  options: Options,
  rounds: number,
): Promise<{ out: number[]; back: number[] }> {
  const seen = new Map<string, number>()
  const approved = new Map<string, number>()
  const watch = Bun.spawn([binary, "proposals", "watch", "--json"], { ...options, stdout: "pipe", stderr: "ignore" })
  const follow = async () => {
    const reader = new LineReader()
    for await (const chunk of watch.stdout) {
      for (const line of reader.push(chunk)) {
        const { event, proposal } = JSON.parse(line)
        if (event !== "open") continue
        const round = /host: h(\d+)\./.exec(proposal.proposed_file)?.[1] ?? ""
        seen.set(round, Date.now())
        approved.set(round, Date.now())
        const approve = [binary, "proposals", "approve", proposal.id, "--yes"]
        await Bun.spawn(approve, { ...options, stdout: "ignore", stderr: "ignore" }).exited
      }
    }
  }
  void follow()
  const start = ["start", "--headless", "--discard", "--bottle", "bench", "--", "sh", "-c", agent, "sh", String(rounds)]
  const run = Bun.spawn([binary, ...start], { ...options, stdout: "pipe", stderr: "ignore" })
  const text = await run.stdout.text()
  watch.kill()
  const lines = text
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
  if (lines.length < rounds) throw new Error(`only ${lines.length} of ${rounds} rounds came back`)
  return {
    out: lines.map(([round = "", asked]) => (seen.get(round) ?? Number.NaN) - Number(asked) / 1e6),
    back: lines.map(([round = "", , answered]) => Number(answered) / 1e6 - (approved.get(round) ?? Number.NaN)),
  }
}

/** The same in containers, on an engine of the bench's own; undefined where there can be none. */
async function onDocker(context: BenchContext, binary: string, rounds: number) {
  if ((whyMissing("dockerd") ?? whyNoHostImage()) !== undefined) return undefined
  const { engine, up, down } = makeEngine()
  context.defer(down)
  context.say("the same on an engine of its own")
  await up()
  await importPackages(engine, mkdtempSync(join(tmpdir(), "bbi-")), "agent:1", ["curl", "coreutils", "dash"])
  const place = makeBenchPlace(join(context.scratch, "proposals-docker"))
  const bottle = "agent_provider: {template: command}\ndocker: {image: 'agent:1'}"
  writeFileSync(join(place.env.HOME ?? "", ".bot-bottle/bottles/bench.md"), `---\n${bottle}\n---\n`)
  const env = { ...place.env, DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" }
  return timeAsking(binary, { env, cwd: place.work }, rounds)
}

function fill(queue: string): void {
  mkdirSync(join(queue, "archive"), { recursive: true })
  for (let at = 0; at < 10_500; at++) {
    const id = `p${at.toString(36).padStart(10, "0")}`
    const proposal = {
      ...{
        schemaVersion: 1,
        id,
        bottle_slug: "long-abc12",
        tool: "egress-block",
        proposed_file: `host: h${at}.test\n`,
      },
      ...{
        justification: "x".repeat(300),
        arrival_timestamp: new Date(1.7e12 + at).toISOString(),
        current_file_hash: "",
      },
    }
    const dir = at < 500 ? queue : join(queue, "archive")
    writeFileSync(join(dir, `${id}.proposal.json`), JSON.stringify(proposal))
    const response = { proposal_id: id, status: "rejected", notes: "", final_file: "" }
    if (at >= 500) writeFileSync(join(dir, `${id}.response.json`), JSON.stringify(response))
  }
}

export default bench
