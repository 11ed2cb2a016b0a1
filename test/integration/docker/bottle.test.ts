import { beforeAll, describe, expect, test } from "bun:test"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { makePlace, type Place } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"

const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useEngine(able)
const dir = tempDir("docker")
/** Never used: its tests are skipped. */
const noPlace = {} as Place

describe.skipIf(!able)("bottle on the docker backend", () => {
  const place = able ? makePlace("root", { DOCKER_HOST: engine.host }) : noPlace

  beforeAll(async () => {
    await importImage(engine, await busyboxTree(dir), "busybox:1")
    place.writeBottle("small", "supervise: false\ndocker: { image: 'busybox:1' }")
  }, 300_000)
  test("shows the demo, all of whose promises hold, and leaves nothing", async () => {
    const demo = await place.bottle(["demo", "--backend", "docker"])
    expect(demo).toMatchObject({ code: 0, stderr: "" })
    expect(demo.stdout).not.toContain("✗")
    expect(demo.stdout.match(/✓/g)?.length).toBe(8)
    expect(await engine.left()).toEqual([])
  }, 300_000)

  test("runs a command in an image, keeps its work, goes on with it, and destroys all of it", async () => {
    const start = ["start", "--headless", "--backend", "docker", "--bottle", "small", "--", "sh", "-c"]
    const first = await place.bottle([...start, "echo $HOME; echo x >> /workspace/f; cat /workspace/f; exit 7"])
    expect([first.code, first.stdout]).toEqual([7, "/home/node\nx\n"])
    const [slug = ""] = place.states()
    const again = await place.bottle(["resume", slug, "--headless"])
    expect(again.stdout).toContain("x\nx\n")
    expect(await engine.left()).toContain(`bot-bottle-${slug}-workspace`)
    expect((await place.bottle(["destroy", slug, "--yes"])).code).toBe(0)
    expect(await engine.left()).toEqual([])
  }, 300_000)

  test("copies the working directory in, and keeps nothing of an unchanged one", async () => {
    place.writeWork("note.txt", "from the host")
    const argv = ["start", "--headless", "--backend", "docker", "--bottle", "small", "--cwd", "--", "cat", "note.txt"]
    const run = await place.bottle(argv)
    expect([run.code, run.stdout]).toEqual([0, "from the host"])
    expect([place.states(), await engine.left()]).toEqual([[], []])
  }, 300_000)

  test("says what it cannot do, before anything is made", async () => {
    const start = (bottle: string) =>
      place.bottle(["start", "--headless", "--backend", "docker", "--bottle", bottle, "--", "true"])
    place.writeBottle("plain", "supervise: false")
    place.writeBottle(
      "bound",
      `supervise: false\ndocker: { image: 'busybox:1' }\nnamespace: { binds: [${place.work}:/x] }`,
    )
    place.writeBottle("absent", "supervise: false\ndocker: { image: 'absent:1' }")
    expect(await start("plain")).toMatchObject({ stderr: expect.stringContaining("names no image") })
    expect(await start("bound")).toMatchObject({ stderr: expect.stringContaining("nothing of this machine") })
    expect(await start("absent")).toMatchObject({ stderr: expect.stringContaining("docker pull absent:1") })
    const elsewhere = { env: { ...place.env, DOCKER_HOST: "ssh://someone@-host" } }
    const option = await place.bottle(["demo", "--backend", "docker"], elsewhere)
    expect([option.code, option.stderr]).toEqual([4, expect.stringContaining("is not ssh://USER@HOST:PORT")])
    const nowhere = { env: { ...place.env, DOCKER_HOST: "unix:///nonexistent/s" } }
    const none = await place.bottle(["demo", "--backend", "docker"], nowhere)
    expect([none.code, none.stderr]).toEqual([4, expect.stringContaining("no engine at /nonexistent/s")])
    expect([place.states(), await engine.left()]).toEqual([[], []])
  }, 300_000)
})
