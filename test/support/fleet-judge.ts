import { expect } from "bun:test"
import type { TestEngine } from "./docker/engine.ts"
import { type Fleet, FleetRun } from "./fleet.ts"
import { processesOf } from "./kill/processes.ts"
import type { Place } from "./place.ts"
import { waitFor } from "./wait.ts"

export interface FleetNumbers {
  /** Seconds until the last was up and had asked. */
  up: number
  /** Milliseconds of one listing. */
  list: number
  /** Seconds until all were removed. */
  removed: number
  /** MB of PSS a bottle. */
  memory: { namespace: number; docker: number; client: number }
}

/** All come up, every policy is in force, every row is true, and all of them can be removed. Returns what it took. */
export async function judgeFleet(place: Place, engine: TestEngine, fleet: Fleet): Promise<FleetNumbers> {
  const run = new FleetRun(place, engine)
  const total = fleet.namespace + fleet.docker
  const since = (start: number) => (performance.now() - start) / 1000
  try {
    const starting = performance.now()
    const said = await run.start(fleet)
    const up = since(starting)
    expect(said.filter((each) => !/upstream says yes/.test(each) || !/403|no\.example/.test(each))).toEqual([])
    expect(run.asked.size).toBe(total)
    // Refusals are written down a moment after the agents are told.
    await waitFor("every refusal", async () => {
      const { active } = JSON.parse((await place.bottle(["list", "--json"])).stdout)
      return active.every(({ refused }: { refused: number }) => refused === 1)
    })
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const listing = performance.now()
      const { stdout } = await place.bottle(["list", "--json"])
      times.push(since(listing) * 1000)
      const rows = JSON.parse(stdout).active as { state: string; refused: number }[]
      expect(rows.length).toBe(total)
      expect(rows.filter(({ state, refused }) => state !== "running" || refused !== 1)).toEqual([])
    }
    const memory = await run.memory(fleet)
    await run.killAll()
    const removing = performance.now()
    expect(await run.cleanUp()).toEqual([])
    const removed = since(removing)
    await run.end()
    expect([place.states(), await engine.left()]).toEqual([[], []])
    await waitFor("every process's end", () => processesOf(place, "").length === 0)
    return { up, list: times.sort((a, b) => a - b)[2] ?? 0, removed, memory }
  } finally {
    await run.end()
  }
}

export function tellFleet({ namespace, docker }: Fleet, { up, list, removed, memory }: FleetNumbers): void {
  const mb = (value: number) => `${value.toFixed(1)} MB`
  console.log(
    `${namespace} namespace and ${docker} docker bottles: up in ${up.toFixed(1)} s, removed in ${removed.toFixed(1)} s`,
  )
  console.log(
    `list: ${list.toFixed(0)} ms; PSS a bottle: namespace ${mb(memory.namespace)}, docker ${mb(memory.docker)}, a waiting client ${mb(memory.client)}`,
  )
}
