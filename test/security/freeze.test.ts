import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { nameOf, readFrozen, readTree } from "../support/freeze/frozen.ts"
import { BottleRun } from "../support/kill/bottle-run.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

/** Everything an agent can plant where its trees are copied. */
const planting = `
mkdir -p d/e shut; echo data > f; ln f twin; ln -s /etc/shadow link; ln -s ../../../../../etc up; ln -s . d/loop
mkfifo pipe; ln pipe pipe2; chmod 6755 f; echo hidden > shut/in; chmod 000 shut; echo closed > mine; chmod 000 mine
truncate -s 8T bomb; printf end >> bomb
printf x > "$(printf 'new\\nline')"; printf x > "$(printf '\\033[31mred')"; printf x > "$(printf '\\377\\376')"; printf x > -- "--checkpoint-action=exec=touch x"
i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i > d/e/$i; done
( i=0; while [ $i -lt 3000 ]; do i=$((i+1)); mkdir deep && cd deep || exit; done; echo bottom > f )
echo home > ~/h; ln -s / ~/root
`

/** Plants once; later it says what it finds. Ends by itself only then. */
const agent = (plant: string) =>
  `if [ -e ready ]; then cat f ~/h; exit 0; fi; ${plant}\necho data > f; echo home > ~/h; touch ready; exec sleep 98765`

for (const who of here ? whos : []) {
  describe(`freeze, as ${who}`, () => {
    const place = makePlace(who)
    place.writeBottle("dev", "agent_provider: {template: command}\nenv: {SHOWN: visible-value-0042}")
    const workspaceOf = (slug: string) => join(place.botHome, "state", slug, "fs/workspace")
    const start = async (plant = "") => {
      const run = new BottleRun(place, "idle", true, "dev", [
        ...["start", "--headless", "--bottle", "dev", "--", "sh", "-c", agent(plant)],
      ])
      await waitFor(
        "the agent's work",
        () => run.slug !== "" && existsSync(join(workspaceOf(run.slug), "ready")),
        300_000,
      )
      return run
    }
    const row = async () =>
      (JSON.parse((await place.bottle(["list", "--json"])).stdout) as { active: { state: string }[] }).active[0]
    const resume = (slug: string) => place.bottle(["resume", slug, "--headless"])

    afterEach(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
      expect(place.states()).toEqual([])
    })

    test("keeps a hostile tree file by file, and makes no more of it than files, directories and links", async () => {
      const { slug, client } = await start(planting)
      const before = readTree(workspaceOf(slug))
      const frozen = await place.bottle(["freeze", slug, "--yes", "--json"])
      expect(frozen.stderr).toBe("")
      expect(JSON.parse(frozen.stdout)).toMatchObject({ slug, state: "frozen", changed: true })
      expect(await client.exited).not.toBe(0)
      expect(await row()).toMatchObject({ state: "frozen" })
      expect(existsSync(workspaceOf(slug))).toBe(false)

      const { manifest, listed, listSum, dir } = readFrozen(place, slug)
      expect(manifest.files.sha256).toBe(listSum)
      for (const tree of ["home", "workspace"] as const) {
        const { file, sha256, bytes } = manifest.archives[tree]
        const archive = readFileSync(join(dir, file))
        expect(archive.length).toBe(bytes)
        expect(new Bun.CryptoHasher("sha256").update(archive).digest("hex")).toBe(sha256)
        expect(bytes).toBeLessThan(64 * 2 ** 20)
      }
      const inWorkspace = listed.filter(({ tree }) => tree === "workspace")
      for (const entry of inWorkspace) {
        const was = before.get(nameOf(entry))
        if (entry.kind === "file" && !entry.sparse && was !== undefined) expect(entry.sha256).toBe(was)
        if (entry.kind === "link") expect(was).toBe(`to ${entry.to}`)
        expect(entry.mode).toBeLessThanOrEqual(0o777)
      }
      const names = new Set(inWorkspace.map(nameOf))
      const missing = [...before.keys()].filter((name) => !names.has(name))
      expect(missing.sort()).toEqual(["pipe", "pipe2"])

      const resumed = await resume(slug)
      expect(resumed.stderr).not.toContain("error")
      expect(resumed.stdout).toBe("data\nhome\n")
      const after = readTree(workspaceOf(slug))
      expect([...after].filter(([, what]) => what === "other")).toEqual([])
      for (const [name, what] of before) {
        if (what !== "other") expect(`${name} ${after.get(name)}`).toBe(`${name} ${what}`)
      }
      expect(readFileSync("/proc/mounts", "utf8")).not.toContain(slug)
    })

    test("holds no environment value and no key", async () => {
      const { slug } = await start("echo here > g")
      expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
      const { dir } = readFrozen(place, slug)
      for (const name of readdirSync(dir)) {
        const text = readFileSync(join(dir, name), "latin1")
        expect(text).not.toContain("visible-value-0042")
        expect(text).not.toContain("PRIVATE KEY")
      }
      expect((await place.bottle(["freeze", slug, "--yes"])).stderr).toContain("frozen already")
    })

    test("that was changed at rest starts nothing and says so with exit 8, until it is put back", async () => {
      const { slug } = await start()
      expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
      const { dir } = readFrozen(place, slug)
      const spoil = async (name: string, change: (bytes: Buffer) => Buffer | undefined) => {
        const path = join(dir, name)
        const whole = readFileSync(path)
        const other = change(Buffer.from(whole))
        if (other === undefined) rmSync(path)
        else writeFileSync(path, other)
        const resumed = await resume(slug)
        writeFileSync(path, whole)
        expect(`${name} ${resumed.code} ${resumed.stderr}`).toStartWith(`${name} 8 error: the freeze is damaged`)
        expect(await row()).toMatchObject({ state: "frozen" })
        expect(existsSync(workspaceOf(slug))).toBe(false)
        expect(
          readFileSync(join(place.botHome, "state", slug, "bringup.log"), "utf8").match(/ready after/g),
        ).toHaveLength(1)
      }
      await spoil("workspace.tar", (bytes) => {
        const at = bytes.indexOf("data\n")
        bytes[at] = 0x44
        return bytes
      })
      await spoil("home.tar", (bytes) => bytes.subarray(0, bytes.length - 512))
      await spoil("home.tar", (bytes) => Buffer.concat([bytes, Buffer.alloc(512)]))
      await spoil("workspace.tar", () => undefined)
      await spoil("manifest.json", () => undefined)
      await spoil("manifest.json", (bytes) => Buffer.from(bytes.toString().replace(/"home.tar"/, '"../../plan.json"')))
      await spoil("manifest.json", (bytes) => bytes.subarray(0, 40))
      expect((await resume(slug)).stdout).toBe("data\nhome\n")
    })

    test("takes a kept bottle too, asks first, and is refused where nobody can be asked", async () => {
      const { slug } = await start()
      expect((await place.bottle(["stop", slug])).code).toBe(0)
      const unasked = await place.bottle(["commit", slug])
      expect(unasked.code).toBe(2)
      expect(unasked.stderr).toContain("--yes")
      expect((await place.bottle(["freeze", "nobody-00000", "--yes"])).code).toBe(5)
      for (const [key, code] of [
        ["n", 130],
        ["y", 0],
      ] as const) {
        const seen: string[] = []
        const asked = Bun.spawn(place.as([join(place.dir, "bottle"), "freeze", slug]), {
          cwd: place.work,
          env: place.env,
          terminal: { cols: 80, rows: 24, data: (_terminal, bytes) => void seen.push(Buffer.from(bytes).toString()) },
        })
        await waitFor("the question", () => seen.join("").includes("freeze it?"))
        asked.terminal?.write(key)
        expect(await asked.exited).toBe(code)
      }
      expect(await row()).toMatchObject({ state: "frozen" })
      expect((await resume(slug)).stdout).toBe("data\nhome\n")
    })
  })
}

/** What an agent does that can be seen to go on. */
const ticking = "head -c 6m /dev/urandom > big; (while :; do date +%N > tick; done) &"

for (const who of here && requirePart("root") ? whos : []) {
  describe(`freeze on a full disk, as ${who}`, () => {
    // Before the place itself is taken away.
    afterAll(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
      Bun.spawnSync(["umount", "-l", place.botHome], { env: place.env })
    })
    const place = makePlace(who)
    beforeAll(() => {
      const { uid, gid } = statSync(place.botHome)
      const argv = ["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", place.botHome]
      expect(Bun.spawnSync(argv, { env: place.env }).exitCode).toBe(0)
      chownSync(place.botHome, uid, gid)
      chmodSync(place.botHome, 0o700)
      mkdirSync(join(place.botHome, "bottles"))
      chownSync(join(place.botHome, "bottles"), uid, gid)
      place.writeBottle("dev", "agent_provider: {template: command}")
    })

    test("fails with one clear line, and the bottle goes on as before", async () => {
      const argv = ["start", "--headless", "--bottle", "dev", "--", "sh", "-c", agent(ticking)]
      const run = new BottleRun(place, "idle", true, "dev", argv)
      await waitFor("the agent's work", () => run.has("fs/workspace/ready"))
      const failed = await place.bottle(["freeze", run.slug, "--yes"])
      expect(`${failed.code} ${failed.stderr}`).toStartWith(`1 error: ${run.slug} was not frozen: the disk is full`)
      expect(failed.stderr).toContain("running as before")
      expect(readdirSync(run.stateDir).filter((name) => name.includes("freeze"))).toEqual([])
      const last = run.read("fs/workspace/tick")
      await waitFor("the agent going on", () => !["", last].includes(run.read("fs/workspace/tick")))
      expect(statSync(join(run.stateDir, "fs/workspace/big")).size).toBe(6 * 2 ** 20)
      run.client.kill("SIGKILL")
      await run.client.exited
    })
  })
}
