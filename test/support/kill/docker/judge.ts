import { expect } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { busyboxTree, importImage, type TestEngine } from "../../docker/engine.ts"
import type { WiredEngine } from "../../docker/wire.ts"
import { makePlace, type Place } from "../../place.ts"
import { waitFor } from "../../wait.ts"
import { DockerRun } from "./docker-run.ts"
import type { DockerCase } from "./matrix.ts"

/** A place whose bottles are in containers of this engine. */
export function dockerKillPlace(engine: WiredEngine): Place {
  const place = makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" })
  place.writeBottle("dev", "agent_provider: {template: command}\ndocker: {image: 'busybox:1'}")
  return place
}

export async function importBusybox(engine: TestEngine): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "bbk-"))
  await importImage(engine, await busyboxTree(dir), "busybox:1")
  rmSync(dir, { recursive: true, force: true })
}

const atRest = ["stopped", "closed"]
const lasting = ["running", "idle", ...atRest, ""]

/** Carry one case out and hold everything that must be true after it. Returns whether there was anything to kill. */
export async function judgeDocker(place: Place, engine: WiredEngine, one: DockerCase): Promise<boolean> {
  const { run, killed } = await provoke(place, engine, one)
  try {
    if (one.victim === "dockerd") {
      // The engine is away: rows are shown all the same, from what is here.
      if (existsSync(run.stateDir)) expect((await rows(place)).map(({ slug }) => slug)).toEqual([run.slug])
      await engine.start()
    }
    await judgeAfterwards(place, engine, run, one)
  } finally {
    run.client.kill("SIGKILL")
    await engine.docker("version").catch(() => engine.start())
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
  }
  return killed
}

async function provoke(
  place: Place,
  engine: WiredEngine,
  one: DockerCase,
): Promise<{ run: DockerRun; killed: boolean }> {
  let run = new DockerRun(place, engine, one.agent, one.headless)
  if (one.afterwards !== undefined) {
    await run.running(one.agent)
    if (one.afterwards === "stop") void place.bottle(["stop", run.slug])
    if (one.afterwards === "exit") await run.strike("agent", 5_000)
    if (one.afterwards === "resume") run = await resumed(place, engine, run)
  }
  const isGone = () => one.afterwards !== undefined && !existsSync(run.stateDir)
  const limit = performance.now() + 60_000
  while (!one.when(run) && !isGone() && performance.now() < limit) await Bun.sleep(0)
  return { run, killed: await run.strike(one.victim, one.afterwards === undefined ? 3_000 : 500) }
}

/** Stop it, forget what its first launch logged, and launch it again. */
async function resumed(place: Place, engine: WiredEngine, before: DockerRun): Promise<DockerRun> {
  const { slug } = before
  expect((await place.bottle(["stop", slug])).code).toBe(0)
  await before.client.exited
  for (const name of ["bringup.log", "workspace.mark"]) {
    if (name.endsWith(".log")) rmSync(join(before.stateDir, name), { force: true })
  }
  return new DockerRun(place, engine, "working", true, ["resume", slug, "--headless"])
}

/** A true row, an end on request, nothing left running, no work lost, and nothing at all after `destroy`. */
async function judgeAfterwards(place: Place, engine: WiredEngine, run: DockerRun, one: DockerCase): Promise<void> {
  const seen = await settledRow(place, one.truth)
  expect(one.truth ?? lasting).toContain(seen)
  if (seen === "running" || seen === "idle") {
    const stop = await place.bottle(["stop", run.slug])
    if (stop.code !== 0) {
      expect(stop.stderr).toContain(`${run.slug} is not running`)
      expect(atRest).toContain(await settledRow(place))
    }
  }
  run.client.kill("SIGKILL")
  await run.client.exited
  let remains: string[] = []
  await waitFor("nothing left", async () => {
    // An end that an engine cut short, as it may again just after it came back, is finished by whoever looks next.
    await rows(place)
    remains = await run.remains()
    return remains.length === 0
  }).catch(() => expect(remains).toEqual([]))
  if (one.agent === "working" || one.agent === "failing") expect(await run.made()).toBe("kept\n")
  for (const slug of place.states()) {
    const destroyed = await place.bottle(["destroy", slug, "--yes"])
    expect(`${destroyed.code} ${destroyed.stderr}`).toStartWith("0 ")
  }
  expect(place.states()).toEqual([])
  expect(await engine.left()).toEqual([])
}

interface Row {
  slug: string
  state: string
}

async function rows(place: Place): Promise<Row[]> {
  const result = await place.bottle(["list", "--json"])
  expect(`${result.code} ${result.stderr}`).toStartWith("0 ")
  return (JSON.parse(result.stdout) as { active: Row[] }).active
}

/** The state that the listing says, once it says the same twice and it is one that can last. */
async function settledRow(place: Place, truth: readonly string[] = lasting): Promise<string> {
  let last = "none yet"
  const look = async () => {
    const state = (await rows(place))[0]?.state ?? ""
    const lasts = state === last && lasting.includes(state) && truth.includes(state)
    last = state
    return lasts ? { state } : undefined
  }
  return waitFor("a true row", look).then(
    ({ state }) => state,
    () => last,
  )
}
