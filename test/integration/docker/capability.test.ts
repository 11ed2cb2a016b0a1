import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { makePlace, type Place, placeBinary } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useEngine(able)
const dir = tempDir("capability")

/** The image of a real bottle, changed by what its agent asks for, with the compiled binary and a real engine. */
describe.skipIf(!able)("an approved Dockerfile", () => {
  const place = able ? makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" }) : ({} as Place)
  const clients: Bun.Subprocess<"ignore", "pipe", "pipe">[] = []

  beforeAll(async () => {
    await importImage(engine, await busyboxTree(dir), "busybox:1")
    place.writeBottle("img", "agent_provider: {template: command}\ndocker: {image: busybox:1}")
  }, 300_000)
  afterAll(() => {
    for (const client of clients) client.kill()
  })

  /** An agent that says which image it is in, but for its first time, when it works on until it is ended. */
  const agent = "cat /two 2>/dev/null && exit; [ -e again ] && echo old && exit; touch again; sleep 600"

  async function startBottle(): Promise<{ slug: string; ended: () => Promise<string> }> {
    const known = new Set(place.states())
    const argv = [placeBinary(place), "start", "--headless", "--bottle", "img", "--", "sh", "-c", agent]
    const client = Bun.spawn(place.as(argv), { cwd: place.work, env: place.env, stdio: ["ignore", "pipe", "pipe"] })
    clients.push(client)
    const slug = await waitFor("a bottle", () => place.states().find((one) => !known.has(one)))
    const started = async () => (await inside(slug, "test -e /workspace/again")).code === 0
    await waitFor("its agent", started)
    return { slug, ended: () => new Response(client.stderr).text() }
  }
  const inside = (slug: string, script: string) => place.bottle(["exec", slug, "--", "sh", "-c", script])
  const open = async (): Promise<string[]> => {
    const { stdout } = await place.bottle(["proposals", "list", "--json"])
    return JSON.parse(stdout).proposals.map(({ id }: { id: string }) => id)
  }

  /** Ask as the agent does, in a call that stays open; gives the proposal and what the call is told in the end. */
  async function ask(slug: string, dockerfile: string): Promise<{ id: string; told: Promise<string> }> {
    const body = JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
      params: { name: "capability-block", arguments: { dockerfile, justification: "I need two" } },
    })
    const head = [
      "POST /mcp HTTP/1.1",
      ...["host: 127.0.0.1:9100", "content-type: application/json", "accept: application/json, text/event-stream"],
      ...[`content-length: ${body.length}`, "connection: close"],
    ]
    writeFileSync(join(place.work, "body"), `${head.join("\r\n")}\r\n\r\n${body}`)
    const copied = await place.bottle(["cp", join(place.work, "body"), `${slug}:/workspace/body`])
    expect(copied.code, copied.stderr).toBe(0)
    const keepOpen = "mkfifo pipe; { cat body; exec sleep 600; } > pipe &"
    const call = `cd /workspace; ${keepOpen} busybox nc 127.0.0.1 9100 < pipe; kill $!`
    const told = inside(slug, call).then(({ stdout, stderr }) => stdout + stderr)
    const refused = told.then((words) => {
      throw new Error(`the call came back: ${words}`)
    })
    refused.catch(() => undefined)
    const id = await Promise.race([waitFor("the proposal", async () => (await open())[0]), refused])
    return { id, told }
  }
  const decide = (verb: "approve" | "modify", id: string, ...flags: string[]) =>
    place.bottle(["proposals", verb, id, "--yes", ...flags])
  const resume = (slug: string) => place.bottle(["resume", slug, "--headless"])

  test("answers the agent, ends the bottle, and is what its resume builds", async () => {
    const { slug, ended } = await startBottle()
    const { id, told } = await ask(slug, "FROM busybox:1\nRUN echo second > /two\n")
    const shown = await place.bottle(["proposals", "show", id])
    expect(shown.stdout).toContain("+RUN echo second > /two")
    expect(shown.stdout).toContain("line 2: RUN echo second > /two")
    const approved = await decide("approve", id)
    expect([approved.code, approved.stderr]).toEqual([0, expect.stringContaining(`next: bottle resume ${slug}`)])
    expect(await told).toContain("approved")
    expect(await ended()).toContain(`bottle resume ${slug}`)
    expect(await resume(slug)).toMatchObject({ code: 0, stdout: "second\n" })
    expect((await place.bottle(["audit", "verify", slug])).code).toBe(0)
  }, 300_000)

  test("that cannot be built is given up, and the bottle goes on in its old image", async () => {
    const { slug } = await startBottle()
    const { id } = await ask(slug, "FROM busybox:1\nRUN exit 3\n")
    expect((await decide("approve", id)).code).toBe(0)
    const failed = await resume(slug)
    expect(failed.code).toBe(125)
    expect(failed.stderr).toContain("the Dockerfile is removed, as there was none before")
    expect(failed.stderr).toContain(`bottle resume ${slug} goes on with the image of before`)
    expect(await resume(slug)).toMatchObject({ code: 0, stdout: "old\n" })
    const { stdout } = await place.bottle(["audit", "show", slug, "--json"])
    expect(stdout).toContain('"put-back"')
  }, 300_000)

  test("with --rebuild-now is built before anything ends; a build that fails changes nothing", async () => {
    const { slug } = await startBottle()
    const { id } = await ask(slug, "FROM busybox:1\nRUN exit 3\n")
    const failed = await decide("approve", id, "--rebuild-now")
    expect([failed.code, failed.stderr]).toEqual([
      1,
      expect.stringContaining(`${slug} runs on, and the proposal is open`),
    ])
    expect(await open()).toEqual([id])
    expect((await inside(slug, "true")).code).toBe(0)
    const mine = join(place.work, "mine")
    writeFileSync(mine, "FROM busybox:1\nRUN echo mine > /two\n")
    const done = await decide("modify", id, "--file", mine, "--rebuild-now")
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining(`bottle attach ${slug}`)])
    expect((await inside(slug, "cat /two; cat /etc/bot-bottle/current-config/Dockerfile")).stdout).toContain("mine\n")
    expect((await place.bottle(["destroy", slug, "--yes"])).code).toBe(0)
  }, 300_000)

  test("that is undone while the bottle is at rest is as if it had not been", async () => {
    const { slug } = await startBottle()
    const { id } = await ask(slug, "FROM busybox:1\nRUN echo second > /two\n")
    const approved = await decide("approve", id)
    const seq = /bottle undo (\d+) /.exec(approved.stderr)?.[1] ?? ""
    const undone = await place.bottle(["undo", seq, slug])
    expect([undone.code, undone.stderr]).toEqual([0, expect.stringContaining(`next: bottle resume ${slug}`)])
    expect((await place.bottle(["undo", seq, slug])).code).toBe(6)
    expect(await resume(slug)).toMatchObject({ code: 0, stdout: "old\n" })
  }, 300_000)
})
