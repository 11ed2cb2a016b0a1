import { beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ImageOrder } from "../../../src/backends/backend.ts"
import { BottleError } from "../../../src/lib/errors.ts"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { makePlace, type Place } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { backendOf } from "./test-bottle.ts"

const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useEngine(able)
const dir = tempDir("images")

describe.skipIf(!able)("an agent's image", () => {
  const backend = backendOf(engine)
  const lines: string[] = []
  const order = (dockerfile: string, more: Partial<ImageOrder> = {}): ImageOrder => ({
    ...{ name: "test", origin: "./Dockerfile", dockerfile, args: {} },
    ...more,
  })
  const build = async (one: ImageOrder) => {
    lines.length = 0
    if (backend.buildImage === undefined) throw new Error("no images")
    return backend.buildImage(one, (line) => lines.push(line))
  }
  const failure = async (one: ImageOrder): Promise<{ exit: number; message: string; hint: string }> => {
    try {
      await build(one)
    } catch (error) {
      if (!(error instanceof BottleError)) throw error
      return { exit: error.exitCode, message: error.message, hint: error.hint ?? "" }
    }
    throw new Error("it was built")
  }

  beforeAll(async () => importImage(engine, await busyboxTree(dir), "busybox:1"), 300_000)

  test("is built once of the same things, and anew when its base is another", async () => {
    const text = "FROM busybox:1\nRUN echo made > /made\n"
    const first = await build(order(text))
    expect(first.reused).toBe(false)
    expect(lines).toContain("Step 2/4 : RUN echo made > /made")
    expect(await build(order(text))).toEqual({ ...first, reused: true })
    expect(lines).toEqual([])
    expect((await build(order(`${text}# more\n`))).name).not.toBe(first.name)
    const tree = await busyboxTree(dir)
    writeFileSync(join(tree, "newer"), "")
    await importImage(engine, tree, "busybox:1")
    const second = await build(order(text))
    expect([second.reused, second.name === first.name]).toEqual([false, false])
  }, 300_000)

  test("has the base that is chosen, and one that was built ahead where its own is not there", async () => {
    const text = "ARG BASE_IMAGE=registry.invalid/not-here:1\nFROM $BASE_IMAGE\nRUN touch /x\n"
    const missing = await failure(order(text))
    expect(missing.exit).toBe(4)
    expect(missing.message).toContain("the engine has no image registry.invalid/not-here:1, the base of ./Dockerfile")
    expect(missing.hint).toContain("bottle build test --base-image IMAGE")
    const ahead = await build(order(text, { args: { BASE_IMAGE: "busybox:1" } }))
    expect(await build(order(text))).toEqual({ ...ahead, reused: true })
    const other = await failure(order(text, { args: { BASE_IMAGE: "registry.invalid/other:1" } }))
    expect([other.exit, other.message]).toEqual([4, expect.stringContaining("registry.invalid/other:1")])
  }, 300_000)

  test("fails with the step that failed and its last words, of which none reaches a terminal raw", async () => {
    const told = `printf "\\033]0;owned\\007\\033[2J\\033[31mred\\033[0m no\\rway\\n"`
    const { exit, message } = await failure(order(`FROM busybox:1\nRUN ${told}; exit 3\n`))
    expect([exit, message]).toEqual([
      1,
      "the image of test could not be built at step 2/4 (RUN): its command ended with 3: way",
    ])
    expect(lines.join("")).not.toMatch(/[\x00-\x1f\x7f]/)
    expect((await build(order("FROM busybox:1\nRUN true\n"))).reused).toBe(false)
  }, 300_000)

  test("takes files of its Dockerfile's folder where it asks for them, and follows no link out of it", async () => {
    const context = join(dir, "context")
    mkdirSync(join(context, ".git"), { recursive: true })
    writeFileSync(join(context, "note"), "one")
    writeFileSync(join(context, ".git/config"), "private")
    writeFileSync(join(dir, "outside"), "secret")
    symlinkSync("../outside", join(context, "link"))
    const text = "FROM busybox:1\nCOPY . /all\n"
    const first = await build(order(text, { context }))
    const show = await engine.docker("run", "--rm", "--network=none", first.id, "ls", "-A", "/all")
    expect(show.split("\n").filter((name) => !name.startsWith(".bot-bottle"))).toEqual(["link", "note"])
    const layers = await engine.docker("run", "--rm", "--network=none", first.id, "sh", "-c", "cat /all/link; true")
    expect(layers).not.toContain("secret")
    expect((await build(order(text, { context }))).reused).toBe(true)
    writeFileSync(join(context, "note"), "two")
    expect((await build(order(text, { context }))).reused).toBe(false)
    expect((await failure(order(text))).exit).toBe(3)
  }, 300_000)
})

describe.skipIf(!able)("bottle build and start", () => {
  const place = able ? makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" }) : ({} as Place)

  test("build what a bottle names, say what is not taken by its line, and use it", async () => {
    place.writeBottle("made", "supervise: false\nagent_provider: {dockerfile: ../Own}")
    writeFileSync(join(place.botHome, "Own"), "FROM busybox:1\nRUN --network=host id\n")
    const start = ["start", "--headless", "--bottle", "made", "--", "cat", "/made"]
    for (const args of [["build", "made"], start]) {
      const refused = await place.bottle(args)
      expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining("Own:2: flags of RUN are not taken")])
    }
    writeFileSync(join(place.botHome, "Own"), "FROM busybox:1\nRUN echo by a build > /made\n")
    const run = await place.bottle(start)
    expect([run.code, run.stdout]).toEqual([0, "by a build\n"])
    const built = await place.bottle(["build", "--json"])
    expect(JSON.parse(built.stdout)).toMatchObject({ schemaVersion: 1, images: [{ for: ["made"], reused: true }] })
    const both = await place.bottle(["build", "made", "--base-image", "busybox:1"])
    expect([both.code, both.stderr]).toEqual([3, expect.stringContaining("has no ARG BASE_IMAGE")])
    expect(await place.bottle(["build", "nothing-like-it"])).toMatchObject({ code: 5 })
  }, 300_000)

  test("a bottle that is resumed has the image of its own Dockerfile, within what an agent may write", async () => {
    const start = ["start", "--headless", "--bottle", "made", "--", "cat", "/changed"]
    expect((await place.bottle(start)).code).toBe(1)
    const [slug = ""] = place.states()
    const own = join(place.botHome, "state", slug, "Dockerfile")
    writeFileSync(own, "FROM bot-bottle/own:x\n")
    const refused = await place.bottle(["resume", slug, "--headless"])
    expect(refused.stderr).toContain("which is not a declared base")
    writeFileSync(own, "FROM busybox:1\nRUN echo later > /changed\n")
    const resumed = await place.bottle(["resume", slug, "--headless"])
    expect([resumed.code, resumed.stdout]).toEqual([0, "later\n"])
    expect(place.states()).toEqual([])
  }, 300_000)
})
