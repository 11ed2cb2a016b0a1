import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { run } from "../../support/command.ts"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { readFrozen } from "../../support/freeze/frozen.ts"
import { makePlace, type Place, placeBinary } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

setDefaultTimeout(300_000)
const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useEngine(able)
const dir = tempDir("docker")
/** Never used: its tests are skipped. */
const noPlace = {} as Place

/** Writes everywhere that a bottle's agent can, says so, and waits; later it shows what it finds. */
const agent = `if [ -e /workspace/ready ]; then cat /workspace/f ~/h /opt/own/layer; readlink ~/l; ls /opt/own; ls /workspace; exit 0; fi
echo work > /workspace/f; ln /workspace/f /workspace/twin; mkfifo /workspace/pipe; chmod 4755 /workspace/f
echo home > ~/h; ln -s /etc/passwd ~/l; echo layer > /opt/own/layer
touch /workspace/ready; echo up; while :; do sleep 98765; done`

describe.skipIf(!able)("freeze on the docker backend", () => {
  const place = able ? makePlace("root", { DOCKER_HOST: engine.host }) : noPlace
  const images = () => engine.docker("images", "-q", "--filter", "reference=bot-bottle-frozen-*")
  const row = async () =>
    (JSON.parse((await place.bottle(["list", "--json"])).stdout) as { active: { state: string }[] }).active[0]

  async function start(): Promise<{ slug: string; client: Bun.Subprocess }> {
    const argv = ["start", "--headless", "--backend", "docker", "--bottle", "small", "--", "sh", "-c", agent]
    let said = ""
    const client = Bun.spawn([placeBinary(place), ...argv], {
      ...{ cwd: place.work, env: place.env, stdin: "ignore", stderr: "ignore", stdout: "pipe" },
    })
    void (async () => {
      for await (const bytes of client.stdout) said += Buffer.from(bytes).toString()
    })()
    await waitFor("the agent", () => said.includes("up"))
    return { slug: place.states()[0] ?? "", client }
  }

  beforeAll(async () => {
    const tree = await busyboxTree(dir)
    await run(["mkdir", "-p", join(tree, "opt/own")])
    await run(["chown", "1000:1000", join(tree, "opt/own")])
    await importImage(engine, tree, "busybox:1")
    place.writeBottle("small", "supervise: false\ndocker: { image: 'busybox:1' }\nenv: {SHOWN: visible-value-0042}")
  })
  afterEach(async () => {
    for (const slug of place.states()) {
      expect((await place.bottle(["destroy", slug, "--yes"])).stderr).toContain("destroyed")
    }
    expect([await engine.left(), await images()]).toEqual([[], ""])
  })

  test("keeps home, workspace and what else was written, and resumes from all of it", async () => {
    const { slug, client } = await start()
    const frozen = await place.bottle(["freeze", slug, "--yes", "--json"])
    expect(frozen.stderr).toBe("")
    expect(JSON.parse(frozen.stdout)).toMatchObject({ state: "frozen", left: 1 })
    await client.exited
    expect(await row()).toMatchObject({ state: "frozen" })
    expect(await engine.left()).toEqual([])
    const { manifest, listed } = readFrozen(place, slug)
    const sum = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex")
    expect(listed).toContainEqual(
      expect.objectContaining({ tree: "workspace", path: "f", sha256: sum("work\n"), mode: 0o755 }),
    )
    expect(listed).toContainEqual(expect.objectContaining({ tree: "home", path: "l", kind: "link", to: "/etc/passwd" }))
    expect(manifest.system).toMatch(/^sha256:/)

    const resumed = await place.bottle(["resume", slug, "--headless"])
    expect(resumed.stdout).toBe("work\nhome\nlayer\n/etc/passwd\nlayer\nf\nready\ntwin\n")
    expect(await row()).toMatchObject({ state: "stopped" })
    expect(existsSync(join(place.botHome, "state", slug, "freeze"))).toBe(false)
    // Frozen once more, now at rest, and thawed from that.
    expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
    expect(await engine.left()).toEqual([])
    expect((await place.bottle(["resume", slug, "--headless"])).stdout).toContain("work\nhome\nlayer\n")
  })

  test("gives way to a Dockerfile that was approved since, and counts again once that is undone", async () => {
    const { slug } = await start()
    expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
    const approved = join(place.botHome, "state", slug, "Dockerfile")
    writeFileSync(approved, "FROM busybox:1\nRUN touch /opt/own/approved\n", { mode: 0o600 })
    const resumed = () => place.bottle(["resume", slug, "--headless"])
    expect((await resumed()).stdout).toBe("work\nhome\n/etc/passwd\napproved\nf\nready\ntwin\n")
    const shown = await place.bottle(["info", slug])
    expect(shown.stdout).toContain(`built from state/${slug}/Dockerfile (changed by the agent, approved)`)
    // What is frozen of it now was made on that Dockerfile, and is what counts.
    expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
    expect((await resumed()).stdout).toBe("work\nhome\n/etc/passwd\napproved\nf\nready\ntwin\n")
    rmSync(approved)
    expect((await resumed()).stdout).not.toContain("approved")
  })

  test("holds no environment value, in its files or in its image", async () => {
    const { slug } = await start()
    expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
    const { dir: files, manifest } = readFrozen(place, slug)
    const tar = join(mkdtempSync(join(dir, "save-")), "image.tar")
    await engine.docker("save", "-o", tar, manifest.system ?? "")
    for (const path of [...readdirSync(files).map((name) => join(files, name)), tar]) {
      const text = readFileSync(path, "latin1")
      expect(text).not.toContain("visible-value-0042")
      expect(text).not.toContain("PRIVATE KEY")
    }
  })

  test("that was changed at rest starts nothing", async () => {
    const { slug } = await start()
    expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
    const path = join(readFrozen(place, slug).dir, "workspace.tar")
    const whole = readFileSync(path)
    const other = Buffer.from(whole)
    other[other.indexOf("work\n")] = 0x57
    writeFileSync(path, other)
    const refused = await place.bottle(["resume", slug, "--headless"])
    expect(`${refused.code} ${refused.stderr}`).toStartWith("8 error: the freeze is damaged")
    expect([await row(), await engine.left()]).toMatchObject([{ state: "frozen" }, []])
    writeFileSync(path, whole)
    expect((await place.bottle(["resume", slug, "--headless"])).stdout).toContain("work\n")
  })

  test("whose keeper is killed while all stands still loses nothing and goes on", async () => {
    const { slug, client } = await start()
    const state = join(place.botHome, "state", slug)
    const freezing = place.bottle(["freeze", slug, "--yes"])
    await waitFor("the freeze", () => readFileSync(join(state, "keeper.json"), "utf8").includes('"freezing"'))
    process.kill(JSON.parse(readFileSync(join(state, "keeper.json"), "utf8")).pid, "SIGKILL")
    await freezing
    client.kill("SIGKILL")
    const seen = await waitFor(
      "a state that lasts",
      async () => {
        const now = (await row())?.state ?? ""
        return ["stopped", "frozen"].includes(now) ? now : undefined
      },
      300_000,
    )
    expect(["stopped", "frozen"]).toContain(seen)
    expect(await engine.docker("ps", "-q")).toBe("")
    expect((await place.bottle(["resume", slug, "--headless"])).stdout).toContain("work\nhome\n")
  })
})
