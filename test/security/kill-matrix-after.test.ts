import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type AgentKind, BottleRun } from "../support/kill/bottle-run.ts"
import { processesOf } from "../support/kill/processes.ts"
import { expectWithin } from "../support/pace.ts"
import { makePlace, type Place, placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")
const secret = "keeper-holds-me-not-4f1d9c2e7b"

interface Row {
  slug: string
  state: string
  refused: number
  reasons: string[]
}
const list = async (place: Place): Promise<Row[]> =>
  (JSON.parse((await place.bottle(["list", "--json"])).stdout) as { active: Row[] }).active
const keepers = (place: Place, slug: string): number =>
  processesOf(place, slug).filter(({ isOurs, argv }) => isOurs && argv[1] === "keep").length

for (const who of here ? whos : []) {
  describe(`after a kill, as ${who}`, () => {
    const place = makePlace(who, { TOKEN: secret })
    beforeAll(() => {
      const route = "{ host: api.example, auth: { scheme: Bearer, token_ref: TOKEN } }"
      place.writeBottle("dev", `agent_provider: {template: command}\negress: { routes: [${route}] }`)
      place.writeBottle("short", "extends: dev\nlimits: {wall_clock: 6s}")
    })
    let run: BottleRun
    afterEach(async () => {
      run.client.kill("SIGKILL")
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })
    const start = async (agent: AgentKind, headless: boolean, bottle = "dev") => {
      run = new BottleRun(place, agent, headless, bottle)
      await run.running(agent)
    }

    test("of the keeper, attach goes on in the same bottle", async () => {
      await start("working", false)
      await run.kill("keeper")
      const shown: string[] = []
      const again = Bun.spawn(place.as([placeBinary(place), "attach", run.slug]), {
        cwd: place.work,
        env: place.env,
        terminal: { cols: 80, rows: 24, data: (_terminal, bytes) => void shown.push(Buffer.from(bytes).toString()) },
      })
      await waitFor("the agent again", async () => (await list(place))[0]?.state === "running")
      expect(readFileSync(join(run.stateDir, "fs/workspace/made"), "utf8")).toBe("kept\n")
      again.kill("SIGKILL")
      await waitFor("idle", async () => (await list(place))[0]?.state === "idle")
      expect(shown.join("")).not.toContain("error")
    })

    test("of a client whose session is only beginning, nothing waits for it", async () => {
      await start("working", false)
      run.client.kill("SIGKILL")
      await waitFor("idle", async () => (await list(place))[0]?.state === "idle")
      const guest = run.find("guest") ?? 0
      const clients = [["attach"], ["exec", "sleep", "4321"]].map(([verb, ...argv]) =>
        Bun.spawn(place.as([placeBinary(place), verb ?? "", run.slug, ...(argv.length > 0 ? ["--", ...argv] : [])]), {
          cwd: place.work,
          env: place.env,
          terminal: { cols: 80, rows: 24, data: () => {} },
        }),
      )
      process.kill(guest, "SIGSTOP")
      await waitFor("the keeper's word", async () => (await list(place))[0]?.state === "running")
      await Bun.sleep(300)
      for (const client of clients) client.kill("SIGKILL")
      await Promise.all(clients.map(({ exited }) => exited))
      await Bun.sleep(300)
      process.kill(guest, "SIGCONT")
      await waitFor("idle again", async () => (await list(place))[0]?.state === "idle")
      await waitFor("their programs' end", () => !processesOf(place, run.slug).some(({ argv }) => argv[0] === "sleep"))
    })

    test("of the keeper, many commands at once give it one keeper", async () => {
      await start("working", false)
      for (let round = 0; round < 3; round++) {
        await run.kill("keeper")
        const rows = await Promise.all(Array.from({ length: 8 }, () => list(place)))
        expect(rows.map(([row]) => row?.state)).toEqual(Array.from({ length: 8 }, () => "idle"))
        expect(keepers(place, run.slug)).toBe(1)
      }
    })

    test("of a keeper while it takes over, the next one does", async () => {
      await start("working", false)
      await run.kill("keeper")
      for (let round = 0; round < 6; round++) {
        const listing = list(place)
        await waitFor("a keeper", () => run.find("keeper"))
        await Bun.sleep(round * 8)
        await run.kill("keeper")
        await listing
      }
      await waitFor("idle", async () => (await list(place))[0]?.state === "idle")
      expect((await place.bottle(["stop", run.slug])).code).toBe(0)
      expect(run.leftovers()).toEqual([])
    })

    test("of the keeper, no refusal is lost: neither one it wrote nor one that nobody was there to write", async () => {
      await start("idle", false)
      const ask = (path: string) => ["sh", "-c", `curl -s -o /dev/null http://denied.example/${path}`]
      for (const path of ["a", "b"]) await place.bottle(["exec", run.slug, "--", ...ask(path)])
      const guest = run.find("guest") ?? 0
      await run.kill("keeper")
      // In the agent's namespaces: somebody who does not need a keeper.
      const inside = [
        "nsenter",
        "-t",
        String(guest),
        "-n",
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "-x",
        "http://127.0.0.1:9099",
      ]
      if (process.getuid?.() === 0) Bun.spawnSync([...inside, "http://denied.example/c"], { env: place.env })
      const expected = process.getuid?.() === 0 ? 3 : 2
      await waitFor("every refusal", async () => (await list(place))[0]?.refused === expected)
      const lines = run
        .read("egress/egress.jsonl")
        .split("\n")
        .filter((line) => line.includes("denied.example"))
      expect(lines.length).toBe(expected)
      expect((await place.bottle(["stop", run.slug])).stderr).toContain(`${expected} requests were refused`)
    })

    test("of the keeper, the wall clock goes on", async () => {
      await start("idle", false, "short")
      await run.kill("keeper")
      expect(await list(place)).toMatchObject([{ state: "idle" }])
      await waitFor("the limit", async () => (await list(place))[0]?.state === "stopped")
      expect((await list(place))[0]?.reasons).toContain("limits.wall_clock of 6 s reached")
      expect(run.leftovers()).toEqual([])
    })

    test("of a keeper that only stands still, the listing does not hang and destroy works", async () => {
      await start("working", false)
      process.kill(run.find("keeper") ?? 0, "SIGSTOP")
      const startedAt = performance.now()
      expect(await list(place)).toMatchObject([{ slug: run.slug, state: "?" }])
      expectWithin(3_500, startedAt)
    })

    test("of a bottle that was being made, destroy and list agree", async () => {
      run = new BottleRun(place, "idle", true)
      await waitFor("the record", () => run.has("runtime.json"))
      await run.kill("keeper")
      expect(await list(place)).toMatchObject([{ state: "closed" }])
      expect((await list(place))[0]?.reasons.join()).toContain("before the bottle was ready")
      expect((await place.bottle(["destroy", run.slug, "--yes"])).code).toBe(0)
      expect(place.states()).toEqual([])
      expect(run.leftovers()).toEqual([])
    })

    test("a bottle that is being made can be stopped", async () => {
      run = new BottleRun(place, "idle", true)
      await waitFor("its keeper", () => run.has("keeper.json"))
      const stopped = await place.bottle(["stop", run.slug])
      expect(stopped.stderr).not.toContain("error")
      await run.client.exited
      await waitFor("nothing left", () => run.leftovers().length === 0)
    })

    test("earlier work is not lost by a resumed session that does nothing", async () => {
      await start("working", true)
      run.client.kill("SIGKILL")
      await waitFor("stopped", async () => (await list(place))[0]?.state === "stopped")
      run = new BottleRun(place, "idle", true, "dev", ["resume", run.slug, "--headless"])
      await run.running("idle")
      await run.kill("agent")
      await waitFor("stopped", async () => (await list(place))[0]?.state === "stopped")
      expect(readFileSync(join(run.stateDir, "fs/workspace/made"), "utf8")).toBe("kept\n")
    })

    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      test(`a headless client that is ended by ${signal} leaves a kept bottle and nothing running`, async () => {
        await start("working", true)
        run.client.kill(signal)
        await run.client.exited
        await waitFor("stopped", async () => (await list(place))[0]?.state === "stopped")
        expect((await list(place))[0]?.reasons.join()).toContain("its client went away")
        // It is at rest before its keeper's process is quite gone.
        await waitFor("nothing left", () => run.leftovers().length === 0)
      })
    }

    test("no process of the host's shows the secret in its environment or on its command line", async () => {
      await start("working", false)
      for (const { pid, argv } of processesOf(place, run.slug)) {
        // The operator's own command has the operator's environment, and so has what it forks until that begins.
        if (argv[1] === "start") continue
        expect(argv.join(" ")).not.toContain(secret)
        expect(`${argv.join(" ")} ${readFileSync(`/proc/${pid}/environ`, "utf8")}`).not.toContain(secret)
      }
    })
  })
}
