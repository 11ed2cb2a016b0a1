import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { BottleRun } from "../support/kill/bottle-run.ts"
import { agentSeconds } from "../support/kill/processes.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

/** Processes on this machine that were started with these words, by pid. */
function saying(words: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() === words
        ? [Number(pid)]
        : []
    } catch {
      return []
    }
  })
}

/** `cleanup` ends what carries a mark of ours and whose starter is gone. An agent that knows the mark writes it itself. */
for (const who of here ? whos : []) {
  describe(`an agent that imitates the mark of a killed command, as ${who}`, () => {
    const place = makePlace(who)
    place.writeBottle("dev", "agent_provider: {template: command}")

    test("has its own process ended by a cleanup, and nobody else's", async () => {
      const home = new Bun.CryptoHasher("sha256").update(place.botHome).digest("hex").slice(0, 6)
      const marks = [`moment/${home}/1/1`, `moment/${home}/${process.pid}/1`, "moment/../../x/1/1", `moment/${home}`]
      const imitated = marks.map((mark, at) => `BOT_BOTTLE_BOUNDARY='${mark}' sleep 7654${at} &`).join(" ")
      const script = `${imitated} exec sleep ${agentSeconds}`
      const argv = ["start", "--yes", "--bottle", "dev", "--", "sh", "-c", script]
      const run = new BottleRun(place, "idle", false, "dev", argv)
      await run.running("idle")
      const pids = await waitFor("its processes", () => {
        const found = marks.map((_, at) => saying(`sleep 7654${at}`))
        return found.every(({ length }) => length === 1) ? found.flat() : undefined
      })

      const done = await place.bottle(["cleanup", "--yes", "--json"])
      expect(`${done.code} ${done.stderr}`).toBe("0 ")
      const { plan } = JSON.parse(done.stdout) as { plan: Record<string, { what: string }[]> }
      const ended = (plan.processes ?? []).map(({ what }) => Number(/process (\d+)$/.exec(what)?.[1]))
      expect(ended.sort()).toEqual(pids.slice(0, 2).sort())
      expect([plan.bottles, plan.state]).toEqual([[], []])
      for (const pid of ended) await waitFor("its end", () => !saying(`sleep 7654${pids.indexOf(pid)}`).includes(pid))

      expect(run.find("agent")).toBeDefined()
      const [row] = JSON.parse((await place.bottle(["list", "--json"])).stdout).active
      expect(row).toMatchObject({ slug: run.slug, state: "running", degraded: false })
      expect((await place.bottle(["exec", run.slug, "--", "echo", "here"])).stdout).toContain("here")
      expect((await place.bottle(["stop", run.slug])).code).toBe(0)
      await run.client.exited
      expect(run.leftovers()).toEqual([])
    })
  })
}
