import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { BottleRun } from "../support/kill/bottle-run.ts"
import { makePlace, type Place, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

interface Outcome {
  plan: Record<"bottles" | "engine" | "processes" | "state" | "logs" | "kept", { slug: string; what: string }[]>
  applied: boolean
  failed: object[]
}

async function cleanup(place: Place, ...flags: string[]): Promise<Outcome> {
  const done = await place.bottle(["cleanup", "--json", ...flags])
  expect(`${done.code} ${done.stderr}`).toBe("0 ")
  return JSON.parse(done.stdout) as Outcome
}

const slugsIn = ({ plan }: Outcome, bucket: keyof Outcome["plan"]) => [...new Set(plan[bucket].map(({ slug }) => slug))]
const lives = (pid: number) => existsSync(`/proc/${pid}/exe`) || existsSync(`/proc/${pid}`)
const pidOf = (run: BottleRun) => Number(JSON.parse(run.read("keeper.json")).pid)

for (const who of here ? whos : []) {
  describe(`cleanup and destroy, as ${who}`, () => {
    const place = makePlace(who)
    place.writeBottle("dev", "agent_provider: {template: command}")
    const other = makePlace(who)
    other.writeBottle("dev", "agent_provider: {template: command}")
    const start = async (at = place) => {
      const run = new BottleRun(at, "working", false)
      await run.running("working")
      return run
    }
    /** Kept with work in it. */
    const keep = async () => {
      const before = place.states()
      const done = await place.bottle([
        "start",
        "--headless",
        "--bottle",
        "dev",
        "--",
        "sh",
        "-c",
        "echo kept > made; exit 3",
      ])
      expect(done.code).toBe(3)
      return place.states().find((slug) => !before.includes(slug)) ?? ""
    }

    afterEach(async () => {
      for (const one of [place, other]) {
        for (const slug of one.states()) await one.bottle(["destroy", slug, "--yes"])
      }
    })

    test("finds nothing on a fresh machine, and says so", async () => {
      const none = await place.bottle(["cleanup"])
      expect([none.code, none.stdout, none.stderr]).toEqual([0, "", "nothing to clean up\n"])
    })

    test("leaves what runs, what is kept and what is another home's, in a dry run and for real", async () => {
      const [running, foreign, kept] = [await start(), await start(other), await keep()]
      for (const flags of [["--dry-run"], ["--yes"]]) {
        const seen = await cleanup(place, ...flags)
        expect(slugsIn(seen, "kept")).toEqual([kept])
        expect([seen.plan.bottles, seen.plan.engine, seen.plan.processes, seen.plan.state]).toEqual([[], [], [], []])
      }
      expect(place.states().sort()).toEqual([running.slug, kept].sort())
      expect(lives(pidOf(foreign)) && lives(pidOf(running))).toBe(true)
      expect(readFileSync(join(place.botHome, "state", kept, "fs/workspace/made"), "utf8")).toBe("kept\n")
      const asked = await cleanup(place, "--preserved", "--dry-run")
      expect(slugsIn(asked, "bottles")).toEqual([kept])
      await cleanup(place, "--preserved", "--yes")
      expect(place.states()).toEqual([running.slug])
    })

    test("finds and ends everything of a bottle whose state was removed under its hands", async () => {
      const [gone, foreign] = [await start(), await start(other)]
      const { slug } = gone
      const keeper = pidOf(gone)
      rmSync(gone.stateDir, { recursive: true, force: true })
      const unasked = await place.bottle(["cleanup"])
      expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining(slug)])
      const seen = await cleanup(place, "--dry-run")
      expect(slugsIn(seen, "processes")).toEqual([slug])
      expect(seen.plan.processes.map(({ what }) => what).join("\n")).toMatch(/process \d+(.|\n)*sockets in/)
      expect(gone.leftovers().length).toBeGreaterThan(1)
      await cleanup(place, "--yes")
      gone.client.kill("SIGKILL")
      await gone.client.exited
      await waitFor("nothing left", () => !lives(keeper) && gone.leftovers().length === 0)
      expect(slugsIn(await cleanup(place, "--dry-run"), "processes")).toEqual([])
      expect(lives(pidOf(foreign))).toBe(true)
    })

    test("ends a sandbox of a killed command of this home's, and none whose command lives", async () => {
      // What bubblewrap leaves when it is killed while it makes one is marked like this, and waits like this.
      const home = new Bun.CryptoHasher("sha256").update(place.botHome).digest("hex").slice(0, 6)
      const sandbox = (marker: string) =>
        Bun.spawn(place.as(["env", `BOT_BOTTLE_BOUNDARY=${marker}`, "sleep", "4321"]), {
          stdio: ["ignore", "ignore", "ignore"],
        })
      const stat = readFileSync(`/proc/${process.pid}/stat`, "utf8")
      const living = `${process.pid}/${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`
      const [stray, used, foreign] = [`${home}/${process.pid}/1`, `${home}/${living}`, `another/${process.pid}/1`]
      const all = [stray, used, foreign].map((who) => sandbox(`moment/${who}`))
      const first = all[0]
      const seen = await waitFor("the sandbox", async () => {
        const { plan } = await cleanup(place, "--dry-run")
        return plan.processes.length > 0 && plan.processes
      })
      expect(seen).toEqual([{ slug: "(no bottle)", what: `sandbox of a killed command, process ${first?.pid}` }])
      await cleanup(place, "--yes")
      expect(await first?.exited).not.toBe(0)
      expect(all.map(({ exitCode, signalCode }) => exitCode === null && signalCode === null)).toEqual([
        false,
        true,
        true,
      ])
      for (const one of all) one.kill("SIGKILL")
    })

    test("finds nothing of starts that failed at once", async () => {
      const failing = () => place.bottle(["start", "nobody", "--headless", "--prompt", "x"])
      for (let round = 0; round < 8; round++) {
        const codes = (await Promise.all([failing(), failing(), failing(), failing()])).map(({ code }) => code)
        expect(codes).toEqual([5, 5, 5, 5])
      }
      expect((await cleanup(place, "--dry-run")).plan.processes).toEqual([])
    })

    // Only who is not root can be kept out, and only root can make a state that is not that one's.
    if (who !== "root" && requirePart("root")) {
      test("leaves the state of another user alone, and says so", async () => {
        const slug = "foreign-00000"
        mkdirSync(join(place.botHome, "state", slug), { recursive: true })
        for (const verb of [["stop"], ["destroy", "--yes"], ["freeze", "--yes"]]) {
          const { code, stderr } = await place.bottle([...verb, slug])
          expect([code, stderr]).toEqual([1, expect.stringContaining(`error: ${slug} is another user's`)])
        }
        expect((await place.bottle(["cleanup", "--yes"])).stderr).toContain(`${slug} is another user's`)
        expect(existsSync(join(place.botHome, "logs", "crash.log"))).toBe(false)
        rmSync(join(place.botHome, "state", slug), { recursive: true })
      })
    }

    test("finds processes of a bottle whose keeper and state are both gone", async () => {
      const gone = await start()
      process.kill(pidOf(gone), "SIGKILL")
      gone.client.kill("SIGKILL")
      rmSync(gone.stateDir, { recursive: true, force: true })
      expect(slugsIn(await cleanup(place, "--yes"), "processes")).toEqual([gone.slug])
      await waitFor("nothing left", () => gone.leftovers().length === 0)
    })

    test("removes half-made state, and keeps what only lost its plan and holds files", async () => {
      const state = (slug: string) => join(place.botHome, "state", slug)
      await keep()
      const [slug = ""] = place.states()
      cpSync(state(slug), state("lost-00000"), { recursive: true })
      for (const name of ["plan.json", ".preserve"]) rmSync(join(state("lost-00000"), name))
      mkdirSync(join(state("half-00000"), "egress"), { recursive: true })
      Bun.spawnSync(["chown", "-R", "--reference", state(slug), state("half-00000"), state("lost-00000")])
      const seen = await cleanup(place, "--yes")
      expect(slugsIn(seen, "state")).toEqual(["half-00000"])
      expect(slugsIn(seen, "kept").sort()).toEqual([slug, "lost-00000"].sort())
      expect(place.states().sort()).toEqual([slug, "lost-00000"].sort())
      expect(existsSync(join(state("lost-00000"), "fs/workspace/made"))).toBe(true)
    })

    test("removes logs past their time, of ended bottles only", async () => {
      const [ended, kept] = [await keep(), await keep()]
      expect((await place.bottle(["destroy", ended, "--yes"])).code).toBe(0)
      const logs = join(place.botHome, "logs")
      for (const slug of [ended, kept]) {
        for (const name of readdirSync(join(logs, slug), { recursive: true }).map(String)) {
          const path = join(logs, slug, name)
          if (lstatSync(path).isFile()) utimesSync(path, 1e9, 1e9)
        }
      }
      expect(slugsIn(await cleanup(place, "--yes"), "logs")).toEqual([])
      expect((await place.bottle(["cleanup", "--older-than", "soon"])).code).toBe(2)
      expect(slugsIn(await cleanup(place, "--dry-run", "--older-than", "30d"), "logs")).toEqual([ended])
      writeFileSync(join(place.botHome, "settings.yml"), "retention: {logs: 30d}\n")
      Bun.spawnSync(["chown", "--reference", place.botHome, join(place.botHome, "settings.yml")])
      expect(slugsIn(await cleanup(place, "--dry-run"), "logs")).toEqual([ended])
      const next = await place.bottle(["start", "--headless", "--bottle", "dev", "--discard", "--", "true"])
      expect(next.code).toBe(0)
      expect(readdirSync(logs)).not.toContain(ended)
      expect(readdirSync(logs)).toContain(kept)
      rmSync(join(place.botHome, "settings.yml"))
    })

    test("destroy works again, at once from many, on one being made, and not on one that never was", async () => {
      const run = await start()
      const { slug } = run
      const all = await Promise.all([1, 2, 3, 4].map(() => place.bottle(["destroy", slug, "--yes"])))
      for (const one of all) expect([0, 5]).toContain(one.code)
      expect(all.some(({ code }) => code === 0)).toBe(true)
      expect(place.states()).toEqual([])
      expect(await place.bottle(["destroy", slug, "--yes"])).toMatchObject({
        code: 0,
        stderr: `${slug}: gone already\n`,
      })
      expect((await place.bottle(["destroy", "nobody-00000", "--yes"])).code).toBe(5)
      await run.client.exited
      await waitFor("nothing left", () => run.leftovers().length === 0)

      const early = new BottleRun(place, "idle", false)
      await waitFor("its state", () => early.has("plan.json"))
      expect((await place.bottle(["destroy", early.slug, "--yes"])).code).toBe(0)
      expect(place.states()).toEqual([])
      await early.client.exited
      await waitFor("nothing left", () => early.leftovers().length === 0)
    })

    test("destroy removes a frozen bottle, whole", async () => {
      const slug = await keep()
      expect((await place.bottle(["freeze", slug, "--yes"])).code).toBe(0)
      expect(slugsIn(await cleanup(place, "--yes"), "kept")).toEqual([slug])
      expect((await place.bottle(["destroy", slug, "--yes"])).code).toBe(0)
      expect([place.states(), readdirSync(join(place.botHome, "launched"))]).toEqual([[], []])
    })
  })
}
