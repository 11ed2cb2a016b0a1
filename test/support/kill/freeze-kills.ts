import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, placeBinary, type Who } from "../place.ts"
import { waitFor } from "../wait.ts"
import { BottleRun } from "./bottle-run.ts"

/** Works and waits; when it is there again, shows its work and ends. */
const agent =
  "if [ -e made ]; then cat made ~/h; exit 0; fi; echo home > ~/h; head -c 3m /dev/urandom > big; echo kept > made; exec sleep 98765"

type Moment = readonly [name: string, when: (run: BottleRun) => boolean]
const phase = (run: BottleRun) => /"phase":"(\w+)"/.exec(run.read("keeper.json"))?.[1] ?? ""
const isMarked = (run: BottleRun) => run.read(".preserve").startsWith("frozen")
const copying = (run: BottleRun, file: string) => {
  const folder = list(run.stateDir).find((name) => name.startsWith(".freeze-"))
  return folder !== undefined && existsSync(join(run.stateDir, folder, file))
}

const freezing: readonly Moment[] = [
  ["the keeper's record of it", (run) => phase(run) === "freezing"],
  ["the first archive", (run) => copying(run, "home.tar")],
  ["the second archive", (run) => copying(run, "workspace.tar")],
  ["the manifest", (run) => copying(run, "manifest.json")],
  ["the whole freeze in its place", (run) => run.has("freeze")],
  ["the marker", isMarked],
  ["the trees going", (run) => isMarked(run) && !run.has("fs/home")],
  ["rest", (run) => isMarked(run) && !run.has("keeper.json")],
]
const thawing: readonly Moment[] = [
  ["the keeper's record of it", (run) => phase(run) === "starting"],
  ["the first tree", (run) => run.has("fs/home")],
  ["the second tree", (run) => run.has("fs/workspace")],
  ["both boundaries", (run) => run.read("runtime.json").includes('"phase": "running"') && run.has("fs/workspace/made")],
  ["the marker's end", (run) => !isMarked(run)],
  ["a bottle that is kept", (run) => phase(run) === "keeping"],
  ["the freeze going", (run) => !run.has("freeze")],
]
const lasting = ["idle", "running", "stopped", "closed", "frozen"]

/** Kills at every step of a freeze and of a resume from one; `pick` says which of them, by number. */
export function killFreezes(who: Who, pick: (at: number) => boolean): void {
  describe(`a freeze killed with -9, as ${who}`, () => {
    const place = makePlace(who)
    place.writeBottle("dev", "agent_provider: {template: command}")
    let met = 0
    let cases = 0

    const start = async () => {
      const run = new BottleRun(place, "idle", false, "dev", [
        ...["start", "--yes", "--bottle", "dev", "--", "sh", "-c", agent],
      ])
      await waitFor("the agent's work", () => run.has("fs/workspace/made"))
      return run
    }
    const spawn = (...argv: string[]) =>
      Bun.spawn(place.as([placeBinary(place), ...argv]), {
        ...{ cwd: place.work, env: place.env, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
      })
    const row = async () =>
      (JSON.parse((await place.bottle(["list", "--json"])).stdout) as { active: { state: string }[] }).active[0]?.state

    /** Do it, and kill when it is time. */
    async function killAt(run: BottleRun, argv: string[], when: Moment[1], victim: "keeper" | "client"): Promise<void> {
      cases += 1
      const command = spawn(...argv)
      while (!when(run) && command.exitCode === null) await Bun.sleep(0)
      const pid = victim === "client" ? command.pid : run.find("keeper")
      try {
        if (pid !== undefined && command.exitCode === null) {
          process.kill(pid, "SIGKILL")
          met += 1
        }
      } catch {
        // It was faster.
      }
      await command.exited
    }

    /** A true row, nothing lost, nothing left over. */
    async function judge(run: BottleRun): Promise<void> {
      let last = ""
      const state = await waitFor("a row that lasts", async () => {
        const now = (await row()) ?? "none"
        const same = now === last && lasting.includes(now)
        last = now
        return same ? now : undefined
      }).catch(() => last)
      expect(lasting).toContain(state)
      if (state === "idle" || state === "running") await place.bottle(["stop", run.slug])
      run.client.kill("SIGKILL")
      await run.client.exited
      await waitFor("rest", async () => ["stopped", "closed", "frozen"].includes((await row()) ?? ""))
      await waitFor(`nothing left but ${run.leftovers().join()}`, () => run.leftovers().length === 0)
      const tidy = JSON.parse((await place.bottle(["cleanup", "--dry-run", "--json"])).stdout).plan
      // A keeper that is killed while it makes a sandbox may leave that one, which is then ended here.
      const processes = tidy.processes.filter(({ slug }: { slug: string }) => slug !== "(no bottle)")
      expect([tidy.bottles, tidy.engine, processes, tidy.state]).toEqual([[], [], [], []])
      if (tidy.processes.length > 0) expect((await place.bottle(["cleanup", "--yes"])).code).toBe(0)
      const resumed = await place.bottle(["resume", run.slug, "--headless"])
      expect(`${resumed.stderr}${resumed.stdout}`).toContain("kept\nhome\n")
      expect(list(run.stateDir).filter((name) => name.includes("freeze"))).toEqual([])
    }

    afterEach(async () => {
      for (const slug of place.states()) {
        const done = await place.bottle(["destroy", slug, "--yes"])
        expect(`${done.code} ${done.stderr}`).toStartWith("0 ")
      }
      expect(place.states()).toEqual([])
    })
    afterAll(() => console.log(`kills in freeze and thaw, as ${who}: ${cases} cases, ${met} met their process`))

    for (const [at, [name, when]] of freezing.entries()) {
      if (!pick(at)) continue
      test(`freeze of a running bottle, ${name}`, async () => {
        for (const victim of at === 2 ? (["keeper", "client"] as const) : (["keeper"] as const)) {
          const run = await start()
          await killAt(run, ["freeze", run.slug, "--yes"], when, victim)
          await judge(run)
          await place.bottle(["destroy", run.slug, "--yes"])
        }
      })
    }

    for (const [at, [name, when]] of freezing.entries()) {
      if (!pick(at + 2) || at === 0) continue
      test(`freeze of a bottle at rest, ${name}: the command itself`, async () => {
        const run = await start()
        await place.bottle(["stop", run.slug])
        await run.client.exited
        await killAt(run, ["freeze", run.slug, "--yes"], when, "client")
        const done = JSON.parse((await place.bottle(["cleanup", "--yes", "--json"])).stdout)
        expect([done.plan.kept[0]?.slug, done.failed]).toEqual([run.slug, []])
        await judge(run)
      })
    }

    for (const [at, [name, when]] of thawing.entries()) {
      if (!pick(at + 1)) continue
      test(`resume from a freeze, ${name}: ${at % 3 === 2 ? "client" : "keeper"}`, async () => {
        const run = await start()
        expect((await place.bottle(["freeze", run.slug, "--yes"])).code).toBe(0)
        await run.client.exited
        const frozen = readFileSync(join(run.stateDir, "freeze/manifest.json"), "utf8")
        expect(frozen).toContain(run.slug)
        await killAt(run, ["resume", run.slug, "--headless"], when, at % 3 === 2 ? "client" : "keeper")
        await judge(run)
      })
    }
  })
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
