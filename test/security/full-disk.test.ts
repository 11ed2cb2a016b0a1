import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { busyboxTree, importImage, useEngine } from "../support/docker/engine.ts"
import { BottleRun } from "../support/kill/bottle-run.ts"
import { makePlace, type Place, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

const run = (place: Place, script: string) =>
  place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", script])
const active = async (place: Place) =>
  (JSON.parse((await place.bottle(["list", "--json"])).stdout) as { active: { state: string; reasons: string[] }[] })
    .active
const destroyAll = async (place: Place) => {
  for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
}

/** Ways to fill home and workspace that a look at their names alone would not see or count well. */
const fillers: readonly [string, string][] = [
  ["one big file", "head -c 40m /dev/zero > big; sleep 600"],
  ["many small files", "mkdir d; head -c 32m /dev/zero | split -a 4 -b 8k - d/; sleep 600"],
  ["files in the home", "head -c 40m /dev/zero > ~/big; sleep 600"],
  [
    "a directory that is closed to its owner",
    "mkdir shut; head -c 40m /dev/zero > shut/big; chmod 000 shut; sleep 600",
  ],
  ["a file without a name", "exec 3> gone; rm gone; head -c 40m /dev/zero >&3; sleep 600"],
  ["growth after a quiet time", "sleep 2; while :; do head -c 1m /dev/zero >> big; sleep 0.02; done"],
]

for (const who of here ? whos : []) {
  describe(`limits.disk, as ${who}`, () => {
    const place = makePlace(who)
    beforeAll(() => place.writeBottle("dev", "agent_provider: {template: command}\nlimits: {disk: 20m}"))

    for (const [name, script] of fillers) {
      test(`ends a bottle that writes ${name}, keeps its state and says why`, async () => {
        const ended = await run(place, script)
        expect(ended.stderr).toContain("limits.disk of 20m reached")
        expect(await active(place)).toMatchObject([{ state: "stopped" }])
        await destroyAll(place)
        expect(place.states()).toEqual([])
      })
    }

    test("lets one be that stays below", async () => {
      const ended = await run(place, "head -c 9m /dev/zero > fine; ln fine again; rm fine again; sleep 1")
      expect(ended.stderr).not.toContain("limits.disk")
      expect(ended.code).toBe(0)
      await destroyAll(place)
    })
  })
}

for (const who of here && requirePart("root") ? whos : []) {
  describe(`a full disk, as ${who}`, () => {
    // Before the place itself is taken away.
    afterAll(async () => {
      await destroyAll(place)
      Bun.spawnSync(["umount", "-l", place.botHome], { env: place.env })
    })
    const place = makePlace(who)
    beforeAll(() => {
      const { uid, gid } = statSync(place.botHome)
      const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place.botHome], {
        env: place.env,
      })
      expect(mounted.exitCode).toBe(0)
      chownSync(place.botHome, uid, gid)
      chmodSync(place.botHome, 0o700)
      for (const name of ["agents", "bottles"]) {
        mkdirSync(join(place.botHome, name), { mode: 0o700 })
        chownSync(join(place.botHome, name), uid, gid)
      }
      place.writeBottle("dev", "agent_provider: {template: command}")
    })

    test("closes the bottle at the first word that cannot be written, and says so", async () => {
      const refused = "curl -sS -o /dev/null http://denied.example/ 2>/dev/null"
      const script = `cat /dev/zero > fill 2>/dev/null; for i in $(seq 200); do ${refused}; sleep 0.05; done; sleep 600`
      const ended = await run(place, script)
      expect(ended.stderr).toContain("the disk is full")
      const [row] = await active(place)
      expect(row?.state).toBe("closed")
      expect(row?.reasons.join()).toContain("the disk is full")
    })

    test("leaves nothing running, and destroy makes room again", async () => {
      const [slug = ""] = place.states()
      const audit = await place.bottle(["audit", "show", slug, "--json"])
      const told = (JSON.parse(audit.stdout) as { entries: { operator_action: string }[] }).entries
      expect(told.map(({ operator_action }) => operator_action)).toEqual(["start", "proof", "refused", "closed"])
      expect(await place.bottle(["audit", "verify"])).toMatchObject({ code: 0 })
      const logs = await place.bottle(["logs", slug, "--source", "teardown"])
      expect(logs.stdout + logs.stderr).toContain("the disk is full")
      await destroyAll(place)
      expect(place.states()).toEqual([])
      expect((await run(place, "echo again")).stdout).toBe("again\n")
    })

    test("an interactive one is told on its terminal", async () => {
      const bottle = new BottleRun(place, "working", false)
      await bottle.running("working")
      const fill = [
        "exec",
        bottle.slug,
        "--",
        "sh",
        "-c",
        "cat /dev/zero > fill; for i in $(seq 60); do curl -s http://a.example/; done",
      ]
      await place.bottle(fill)
      await waitFor("the word", () => bottle.output.includes("the disk is full"))
      await bottle.client.exited
      await waitFor("nothing left", () => bottle.leftovers().length === 0)
      await destroyAll(place)
    })

    test("a start on a full disk says so and leaves nothing", async () => {
      Bun.spawnSync(["sh", "-c", `cat /dev/zero > ${place.botHome}/fill`], { env: place.env, stderr: "ignore" })
      const ended = await run(place, "true")
      expect(ended.stderr).toContain("the disk is full")
      expect(place.states()).toEqual([])
      Bun.spawnSync(["rm", `${place.botHome}/fill`], { env: place.env })
    })
  })
}

const engineHere = here && ["dockerd", "busybox"].every(requirePart)
const engine = useEngine(engineHere)

describe.skipIf(!engineHere)("limits.disk, in containers", () => {
  if (!engineHere) return
  const place = makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" })
  const dir = tempDir("disk")
  beforeAll(async () => {
    const tree = await busyboxTree(dir)
    mkdirSync(join(tree, "open"), { mode: 0o777 })
    chmodSync(join(tree, "open"), 0o777)
    await importImage(engine, tree, "busybox:1")
    const command = "agent_provider: {template: command}\ndocker: {image: 'busybox:1'}\nlimits: {disk: 20m}"
    place.writeBottle("dev", command)
  }, 300_000)
  const zeros = (path: string) => `busybox head -c 41943040 /dev/zero > ${path}`
  const ways: readonly [string, string][] = [
    ["the workspace", `${zeros("big")}; sleep 600`],
    ["directories that it closes to itself", `mkdir shut; ${zeros("shut/big")}; chmod 000 shut; sleep 600`],
    ["its image's own places", `${zeros("/open/big")}; sleep 600`],
    ["the home, after a quiet time", `sleep 3; ${zeros("~/big")}; sleep 600`],
  ]
  for (const [name, script] of ways) {
    test(`ends a bottle that fills ${name}, keeps its state and says why`, async () => {
      const ended = await run(place, script)
      expect(ended.stderr).toContain("limits.disk of 20m reached")
      expect(await active(place)).toMatchObject([{ state: "stopped" }])
      await destroyAll(place)
      expect(await engine.left()).toEqual([])
    })
  }

  test("lets one be that stays below, and holds the limit without a word of the plan's", async () => {
    const plan = await place.bottle(["start", "--dry-run", "--json", "--bottle", "dev", "--", "true"])
    expect(JSON.parse(plan.stdout).unenforced.join()).not.toContain("disk")
    const ended = await run(place, "busybox head -c 9437184 /dev/zero > fine; ln fine again; rm fine again; sleep 1")
    expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining("limits.disk")])
    await destroyAll(place)
  })
})
