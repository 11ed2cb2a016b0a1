import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { busyboxTree, importImage, useEngine } from "../support/docker/engine.ts"
import { makePlace, placeBinary } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { startTmux } from "../support/tmux.ts"
import { waitFor } from "../support/wait.ts"

/** A pane that is killed leaves no process of the agent's in its container, as a killed `docker exec` would. */

const able = ["dockerd", "busybox", "binary", "bwrap", "tmux"].every(requirePart)
const engine = useEngine(able)

describe.skipIf(!able)("a bottle on docker, in a pane of tmux", () => {
  const place = makePlace("root")
  beforeAll(async () => {
    await importImage(engine, await busyboxTree(place.dir), "busybox:1")
    place.env.DOCKER_HOST = engine.host
    place.writeBottle("dev", "agent_provider: {template: command}\ndocker: {image: busybox:1}")
    place.writeAgent("builder", "bottle: dev")
  }, 300_000)
  afterAll(async () => {
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
  })

  test("ends the agent's process when the pane is killed, stays, follows the size, and is entered again", async () => {
    const inPane = (...args: string[]) => {
      const env = Object.entries(place.env).map(([name, value]) => `${name}=${value}`)
      return startTmux(["env", "-i", ...env, placeBinary(place), ...args], { cols: 90, rows: 30, cwd: place.work })
    }
    const script = "if [ -e seen ]; then echo again; else touch seen; echo first; fi; stty size; cat; sleep 4321"
    const first = await inPane("start", "builder", "--backend", "docker", "--yes", "--", "sh", "-c", script)
    const [slug = ""] = await first.see("first").then(() => place.states())
    await first.see("30 90")
    const processes = async () => (await place.bottle(["exec", slug, "--", "ps", "-o", "args"])).stdout
    expect(await processes()).toContain("cat")
    await first.tmux("kill-pane", "-t", "test")
    const state = async () => JSON.parse((await place.bottle(["list", "--json"])).stdout).active[0]?.state
    await waitFor("idle", async () => (await state()) === "idle")
    await waitFor("its process to end", async () => !/^cat$|sleep 4321/m.test(await processes()), 300_000)
    await first.stop()
    const second = await inPane("attach", slug)
    await second.see("again")
    expect(await state()).toBe("running")
    await second.stop()
  }, 300_000)
  test("is seen, entered and stopped from the dashboard, beside one of the other backend", async () => {
    const [docker = ""] = place.states()
    place.writeBottle("plain", "agent_provider: {template: command}")
    const argv = [placeBinary(place), "start", "--headless", "--bottle", "plain", "--backend", "namespace"]
    const other = Bun.spawn([...argv, "--label", "local", "--", "sleep", "600"], {
      cwd: place.work,
      env: place.env,
      stdio: ["ignore", "ignore", "ignore"],
    })
    const env = Object.entries(place.env).map(([name, value]) => `${name}=${value}`)
    const tmux = await startTmux(["env", "-i", ...env, placeBinary(place), "dashboard"], { cwd: place.work })
    try {
      await tmux.see("AGENTS 2")
      const screen = await tmux.see(/local-\w+ .*namespace/)
      expect(screen).toMatch(new RegExp(`${docker} .* docker `))
      await tmux.keys("g")
      await tmux.see(`act on ${docker}`)
      await tmux.keys("x")
      await tmux.see(`stop ${docker}? y/N`)
      await tmux.keys("y")
      await tmux.see("AGENTS 1")
    } finally {
      await tmux.stop()
      other.kill()
    }
  }, 300_000)
})
