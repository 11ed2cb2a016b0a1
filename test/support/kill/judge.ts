import { expect } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expectWithin } from "../pace.ts"
import { makePlace, type Place, type Who } from "../place.ts"
import { waitFor } from "../wait.ts"
import { type AgentKind, BottleRun } from "./bottle-run.ts"
import type { KillCase } from "./matrix.ts"

interface Row {
  slug: string
  state: string
}

/** A place for a matrix: one bottle file, and whatever a case needs. */
export function killPlace(who: Who): Place {
  const place = makePlace(who)
  place.writeBottle("dev", "agent_provider: {template: command}")
  return place
}

async function list(place: Place): Promise<Row[]> {
  const startedAt = performance.now()
  const result = await place.bottle(["list", "--json"])
  expect(result.code).toBe(0)
  expectWithin(6_000, startedAt)
  return (JSON.parse(result.stdout) as { active: Row[] }).active
}

/** Start a bottle, kill what the case says when it says so. Returns the run, and whether there was anything to kill. */
async function provoke(place: Place, one: KillCase): Promise<{ run: BottleRun; killed: boolean }> {
  const run = new BottleRun(place, one.agent, one.headless)
  if (one.afterwards !== undefined) {
    await run.running(one.agent)
    const stopper = one.afterwards === "stop" ? place.bottle(["stop", run.slug]) : undefined
    if (one.afterwards === "exit") await run.kill("agent")
    void stopper
  }
  const isGone = () => one.afterwards !== undefined && !existsSync(run.stateDir)
  for (const limit = performance.now() + 30_000; !one.when(run) && !isGone() && performance.now() < limit; )
    await Bun.sleep(0)
  return { run, killed: await run.kill(one.victim, one.afterwards === undefined ? 1_500 : 100) }
}

/** Carry one case out and hold everything that must be true after it. Returns whether there was anything to kill. */
export async function judge(place: Place, one: KillCase): Promise<boolean> {
  const { run, killed } = await provoke(place, one)
  await judgeAfterwards(place, run, one.agent, one.truth)
  return killed
}

const atRest = ["stopped", "closed", ""]
const lasting = ["running", "idle", ...atRest]

/** A true row, an end on request, nothing left behind, no work lost, and nothing at all after `destroy`. */
export async function judgeAfterwards(
  place: Place,
  run: BottleRun,
  agent: AgentKind,
  truth: readonly string[] = lasting,
): Promise<void> {
  try {
    const seen = await settledRow(place, truth)
    expect(truth).toContain(seen)
    if (seen === "running" || seen === "idle") {
      const stop = await place.bottle(["stop", run.slug])
      if (stop.code !== 0) {
        // The kill may reach the bottle between the listing and this: then it is said so, and it is true.
        expect(stop.stderr).toContain(`${run.slug} is not running`)
        expect(atRest).toContain(await settledRow(place, atRest))
      }
    }
    run.client.kill("SIGKILL")
    await run.client.exited
    await waitFor(`nothing left but ${run.leftovers().join(", ")}`, () => run.leftovers().length === 0)
    if (agent === "working" || agent === "failing") {
      expect(readFileSync(join(run.stateDir, "fs/workspace/made"), "utf8")).toBe("kept\n")
    }
    for (const slug of place.states()) {
      // Whatever was killed, its audit was gone on with, and accuses nobody. What had no plan yet has none.
      const planned = existsSync(join(place.botHome, "state", slug, "plan.json"))
      const verified = await place.bottle(["audit", "verify", slug])
      expect(planned ? [0] : [0, 5], verified.stderr).toContain(verified.code)
      const destroyed = await place.bottle(["destroy", slug, "--yes"])
      expect(`${destroyed.code} ${destroyed.stderr}`).toStartWith("0 ")
    }
    expect(place.states()).toEqual([])
    expect(run.leftovers()).toEqual([])
  } finally {
    run.client.kill("SIGKILL")
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
  }
}

/** The state that the listing says, once it says the same twice and it is one that can last. */
async function settledRow(place: Place, truth: readonly string[]): Promise<string> {
  let last = "none yet"
  const look = async () => {
    const [row] = await list(place)
    const state = row?.state ?? ""
    const lasts = state === last && lasting.includes(state) && truth.includes(state)
    last = state
    return lasts ? { state } : undefined
  }
  return waitFor("a true row", look).then(
    ({ state }) => state,
    () => last,
  )
}
