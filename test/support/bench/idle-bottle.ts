import { mkdtempSync } from "node:fs"
import { join } from "node:path"
import type { BenchContext } from "../../bench/bench.ts"
import { waitFor } from "../wait.ts"
import { makeBenchPlace } from "./place.ts"
import { argvOf, type Memory, memoryOf, processTree } from "./processes.ts"
import { median } from "./rounds.ts"

/** Medians over the rounds. */
export interface IdleBottle {
  /** The supervisor and all below it, bubblewrap's small processes included. */
  sidecars: Memory
  /** How many processes that is. */
  processes: number
  /** The same by what a process does; the keeper, the guest and all bubblewrap beside. */
  parts: Record<string, Memory>
}

/** Start a bottle whose agent sleeps, let it come to rest, and look at its processes' memory. */
export async function measureIdleBottle(binary: string, context: BenchContext, rounds: number): Promise<IdleBottle> {
  const seen: IdleBottle[] = []
  for (let round = 0; round < rounds; round++) seen.push(await measureOnce(binary, context))
  const middle = (pick: (one: IdleBottle) => Memory | undefined): Memory => ({
    private: median(seen.map((one) => pick(one)?.private ?? 0)),
    dirty: median(seen.map((one) => pick(one)?.dirty ?? 0)),
    pss: median(seen.map((one) => pick(one)?.pss ?? 0)),
    source: seen[0]?.sidecars.source ?? "smaps_rollup",
  })
  const names = Object.keys(seen[0]?.parts ?? {})
  return {
    sidecars: middle((one) => one.sidecars),
    processes: seen[0]?.processes ?? 0,
    parts: Object.fromEntries(names.map((name) => [name, middle((one) => one.parts[name])])),
  }
}

async function measureOnce(binary: string, context: BenchContext): Promise<IdleBottle> {
  const place = makeBenchPlace(mkdtempSync(join(context.scratch, "idle-")))
  const seconds = 60
  const started = Bun.spawn(
    [
      binary,
      "start",
      "--headless",
      "--discard",
      "--bottle",
      "bench",
      "--",
      "sh",
      "-c",
      `echo up; exec sleep ${seconds}`,
    ],
    { env: place.env, cwd: place.work, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  )
  const stop = async () => {
    const listed = Bun.spawnSync([binary, "list", "active", "--json"], { env: place.env })
    const { active = [] } = JSON.parse(listed.stdout.toString() || "{}") as { active?: { slug: string }[] }
    for (const { slug } of active) Bun.spawnSync([binary, "destroy", slug, "--yes"], { env: place.env })
    started.kill()
    await started.exited
  }
  try {
    const [first] = await Promise.race([
      started.stdout
        .getReader()
        .read()
        .then((chunk) => [chunk.value]),
      started.exited.then(() => [undefined]),
    ])
    if (first === undefined) throw new Error(`no bottle came up: ${await started.stderr.text()}`)
    // What start-up left is given back by then; a bottle's idle hours are not its first milliseconds.
    await Bun.sleep(3000)
    return await waitFor("the sidecars", () => lookAt(binary))
  } finally {
    await stop()
  }
}

/** The processes below this binary's keeper, by what they do. */
function lookAt(binary: string): IdleBottle | undefined {
  const keeper = processTree(1).find((pid) => argvOf(pid)[0] === binary && argvOf(pid)[1] === "keep")
  const tree = keeper === undefined ? [] : processTree(keeper)
  const supervisor = tree.find((pid) => roleOf(pid) === "supervisor")
  if (supervisor === undefined || !tree.some((pid) => roleOf(pid) === "egress")) return undefined
  const roles = Map.groupBy(tree, roleOf)
  roles.delete("other")
  const parts = Object.fromEntries([...roles].map(([role, pids]) => [role, memoryOf(pids)]))
  const sidecars = processTree(supervisor)
  return { sidecars: memoryOf(sidecars), processes: sidecars.length, parts }
}

function roleOf(pid: number): string {
  const [program = "", first, second, third] = argvOf(pid)
  if (program.endsWith("bwrap")) return "bubblewrap"
  if (!program.includes("bottle")) return "other"
  if (first === "sidecar") return second === "--child" ? (third ?? "other") : "supervisor"
  return first === "keep" ? "keeper" : first === "guest" ? "guest" : "other"
}
