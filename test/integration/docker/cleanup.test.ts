import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { useEngine } from "../../support/docker/engine.ts"
import { importBusybox } from "../../support/kill/docker/judge.ts"
import { makePlace, type Place, placeBinary } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { waitFor } from "../../support/wait.ts"

setDefaultTimeout(300_000)
const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useEngine(able)

interface Outcome {
  plan: Record<"engine" | "images" | "bottles", { slug: string; what: string }[]>
  failed: object[]
}

describe.skipIf(!able)("cleanup of an engine", () => {
  if (!able) return
  const mine = makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" })
  const theirs = makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" })
  const clients: Bun.Subprocess[] = []

  const cleanup = async (...flags: string[]): Promise<Outcome> => {
    const done = await mine.bottle(["cleanup", "--json", ...flags])
    expect(`${done.code} ${done.stderr}`).toBe("0 ")
    return JSON.parse(done.stdout) as Outcome
  }
  /** A bottle whose agent has said that it runs. */
  const start = async (place: Place, bottle = "small"): Promise<string> => {
    const before = place.states()
    const argv = ["start", "--headless", "--bottle", bottle, "--", "sh", "-c", "echo up; exec sleep 98762"]
    const client = Bun.spawn([placeBinary(place), ...argv], {
      ...{ cwd: place.work, env: place.env, stdin: "ignore", stderr: "ignore", stdout: "pipe" },
    } as const)
    clients.push(client)
    let said = ""
    void (async () => {
      for await (const bytes of client.stdout) said += Buffer.from(bytes).toString()
    })()
    await waitFor("the agent", () => said.includes("up"))
    return place.states().find((slug) => !before.includes(slug)) ?? ""
  }
  /** Its state goes under its hands, with everything that could end it. */
  const lose = async (place: Place, slug: string) => {
    const state = join(place.botHome, "state", slug)
    process.kill(JSON.parse(readFileSync(join(state, "keeper.json"), "utf8")).pid, "SIGKILL")
    rmSync(state, { recursive: true, force: true })
  }
  const contrib = (text: string) => {
    mkdirSync(join(mine.botHome, "contrib/command"), { recursive: true })
    writeFileSync(join(mine.botHome, "contrib/command/Dockerfile"), text)
  }
  const images = async () => (await engine.docker("images", "--format", "{{.Tag}}", "bot-bottle/agent")).split("\n")

  beforeAll(async () => {
    await importBusybox(engine)
    for (const place of [mine, theirs]) {
      place.writeBottle("small", "supervise: false\nagent_provider: {template: command}\ndocker: {image: 'busybox:1'}")
    }
    mine.writeBottle("built", "supervise: false\nagent_provider: {template: command}")
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) {
      client.kill("SIGKILL")
      await client.exited
    }
    for (const place of [mine, theirs]) {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    }
    expect(await engine.left()).toEqual([])
  })

  test("removes what a lost bottle left, and nothing of another home's or that only looks like it", async () => {
    const [lost, foreign, lives] = [await start(mine), await start(theirs), await start(mine)]
    await lose(mine, lost)
    const labels = ["--label", `bot-bottle.slug=${lost}`, "--label", "bot-bottle.role=agent"]
    const imitation = await engine.docker("create", "--name", `x-${lost}-agent`, ...labels, "busybox:1", "sh")
    await engine.docker("volume", "create", ...labels, `x-${lost}-home`)
    const planned = await cleanup("--dry-run")
    expect([...new Set(planned.plan.engine.map(({ slug }) => slug))]).toEqual([lost])
    const whats = planned.plan.engine.map(({ what }) => what)
    for (const role of ["agent", "sidecars"]) expect(whats).toContain(`container bot-bottle-${lost}-${role}`)
    for (const role of ["home", "workspace"]) expect(whats).toContain(`volume bot-bottle-${lost}-${role}`)
    expect(whats.filter((what) => what.includes(` x-${lost}`))).toEqual([])
    await cleanup("--yes")
    const left = await engine.left()
    expect(left.filter((name) => name.includes(lost)).sort()).toEqual([`x-${lost}-agent`, `x-${lost}-home`])
    expect(left.filter((name) => name.includes(foreign)).length).toBeGreaterThan(3)
    expect(left.filter((name) => name.includes(lives)).length).toBeGreaterThan(3)
    expect((await cleanup("--dry-run")).plan.engine).toEqual([])
    await engine.docker("rm", imitation)
    await engine.docker("volume", "rm", `x-${lost}-home`)
  })

  test("takes built images that no bottle is made of only when asked, and none that one needs", async () => {
    const made: string[] = []
    for (const text of ["FROM busybox:1\nRUN touch /1\n", "FROM busybox:1\nRUN touch /2\n"]) {
      contrib(text)
      const built = await mine.bottle(["build", "built", "--json"])
      made.push(JSON.parse(built.stdout).images[0].image)
    }
    const [unused = "", used = ""] = made
    const runs = await start(mine, "built")
    expect((await cleanup("--dry-run")).plan.images).toEqual([])
    expect((await cleanup("--dry-run", "--images", "--older-than", "1d")).plan.images).toEqual([])
    expect((await cleanup("--images", "--yes")).plan.images).toEqual([
      { slug: unused, what: expect.stringMatching(/^\d+ MB, built today$/) },
    ])
    expect(await images()).toEqual([used.split(":")[1] ?? ""])
    // At rest it has no container, and needs its image as before.
    expect((await mine.bottle(["freeze", runs, "--yes"])).code).toBe(0)
    expect((await cleanup("--images", "--dry-run")).plan.images).toEqual([])
    expect((await mine.bottle(["destroy", runs, "--yes"])).code).toBe(0)
    expect((await cleanup("--images", "--yes")).plan.images.map(({ slug }) => slug)).toEqual([used])
    expect(await images()).toEqual([""])
  })
})
