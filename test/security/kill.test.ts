import { afterEach, describe, expect, test } from "bun:test"
import { chmodSync, copyFileSync, existsSync } from "node:fs"
import { join } from "node:path"
import type { SidecarStatus } from "../../sidecars/control.ts"
import { makeArena, requireArena } from "../support/breakout/arena.ts"
import { besiege, listedHosts, secret } from "../support/breakout/attempt.ts"
import { strays } from "../support/breakout/judge.ts"
import { partsOf } from "../support/breakout/processes.ts"
import { placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

/** Sidecars die under a working agent: nothing leaves, and what comes back is what was there. */

const here = requirePart("binary") && requirePart("bwrap") && requireArena()
const guestArgv = ["guest", "--socket"]
const count = (said: readonly string[], word: string) => said.filter((line) => line.startsWith(word)).length
const arena = here ? await makeArena() : undefined

for (const who of here ? whos : []) {
  const place = arena === undefined ? undefined : await besiege(who, arena)

  describe.skipIf(place === undefined)(`a bottle started as ${who}`, () => {
    if (arena === undefined || place === undefined) return
    const children: Bun.Subprocess[] = []
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill("SIGKILL")
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    /** Start the streaming agent; `said` are the lines that it printed so far. */
    async function startStreaming(): Promise<{ said: string[]; ended: Promise<number> }> {
      if (arena === undefined || place === undefined) throw new Error("no arena")
      copyFileSync(join(import.meta.dir, "../support/breakout/streamer.py"), join(place.work, "streamer.py"))
      chmodSync(place.work, 0o755)
      const start = [placeBinary(place), "start", "--headless", "--cwd", "--bottle", "siege"]
      const child = Bun.spawn(place.inHome([...start, "--", "python3", "streamer.py", "60"]), {
        cwd: place.work,
        env: place.env,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
      })
      children.push(child)
      const said: string[] = []
      void (async () => {
        let rest = ""
        for await (const chunk of child.stdout) {
          const lines = (rest + Buffer.from(chunk).toString()).split("\n")
          rest = lines.pop() ?? ""
          said.push(...lines)
        }
      })().catch(() => undefined)
      await waitFor("the stream", () => said.includes("TICKING"))
      return { said, ended: child.exited }
    }

    const onlyPart = async (...words: string[]) => {
      if (arena === undefined) throw new Error("no arena")
      const [part] = await waitFor(`one ${words.join(" ")}`, () => {
        const found = partsOf(arena, ...words)
        return found.length === 1 ? found : undefined
      })
      if (part === undefined) throw new Error("none")
      return part.pid
    }

    const listed = async () => {
      const { stdout } = await place.bottle(["list", "active", "--json"])
      return JSON.parse(stdout).active[0] as { state: string; degraded: boolean; sidecars: SidecarStatus[] }
    }

    test("loses egress in mid-stream: the stream ends, and it is back within a second as it was", async () => {
      await arena.take()
      const { said } = await startStreaming()
      const before = await arena.take()
      expect(before.some(({ head }) => head?.includes(`Authorization: Bearer ${secret}`))).toBe(true)
      // One of three: a machine that has other work can take a second for anything.
      let took = Number.POSITIVE_INFINITY
      let kills = 0
      while (kills < 3 && took >= 1000) {
        await waitFor("the stream", () => count(said, "TICKING") > kills)
        process.kill(await onlyPart("sidecar", "--child", "egress"), "SIGKILL")
        kills += 1
        await waitFor("the answer", () => count(said, "BACK") >= kills)
        took = Number(said.findLast((line) => line.startsWith("BACK"))?.split(" ")[1])
        expect(count(said, "BROKEN")).toBe(kills)
      }
      expect(took).toBeLessThan(1000)
      // The policy: what was forbidden is. The CA: the agent verifies. The secret: it is put in.
      expect(await waitFor("the refusal", () => said.find((line) => line.startsWith("FORBIDDEN")))).toBe(
        "FORBIDDEN 403",
      )
      const captured = await arena.take()
      const again = captured.find(({ head }) => head?.startsWith("GET /public/again"))
      expect(again?.head).toContain(`Authorization: Bearer ${secret}`)
      expect(strays(captured, listedHosts, secret)).toEqual([])
      expect((await listed()).sidecars).toMatchObject([
        { name: "egress", restarts: kills },
        { name: "supervise", restarts: 0 },
      ])
    })

    test("loses supervise: nothing that streams is cut, it is back, and the bottle is not degraded", async () => {
      const { said } = await startStreaming()
      const killed = await onlyPart("sidecar", "--child", "supervise")
      process.kill(killed, "SIGKILL")
      await waitFor("another supervise", () =>
        partsOf(arena, "sidecar", "--child", "supervise").some(({ pid }) => pid !== killed),
      )
      const row = await waitFor("it to be up", async () => {
        const now = await listed()
        return now.sidecars.every(({ state }) => state === "up") ? now : undefined
      })
      expect(row.sidecars).toMatchObject([
        { name: "egress", restarts: 0 },
        { name: "supervise", restarts: 1 },
      ])
      expect(row).toMatchObject({ degraded: false })
      expect(said).not.toContain("BROKEN")
      expect(strays(await arena.take(), listedHosts, secret)).toEqual([])
    })

    test("is listed as degraded while egress does not stay up", async () => {
      await startStreaming()
      const seen = await waitFor("the list to say so", async () => {
        for (const { pid } of partsOf(arena, "sidecar", "--child", "egress")) process.kill(pid, "SIGKILL")
        const row = await listed()
        return row.degraded ? row : undefined
      })
      expect(seen).toMatchObject({ state: "running", degraded: true })
      expect(strays(await arena.take(), listedHosts, secret)).toEqual([])
    })

    test("loses the supervisor: it closes, and nothing leaves", async () => {
      const { said, ended } = await startStreaming()
      const guest = await onlyPart(...guestArgv)
      process.kill(await onlyPart("sidecar", "--control"), "SIGKILL")
      await waitFor(
        "the stream to end or the session",
        async () =>
          said.includes("BROKEN") || (await Promise.race([ended.then(() => true), Bun.sleep(10).then(() => false)])),
      )
      await arena.take()
      await ended
      expect(await listed()).toMatchObject({ state: "closed" })
      expect(existsSync(`/proc/${guest}`)).toBe(false)
      expect(partsOf(arena, "sidecar")).toEqual([])
      expect(await arena.take()).toEqual([])
    })

    test("loses its keeper: nothing leaves but by egress, and the next command knows of it", async () => {
      await startStreaming()
      const guest = await onlyPart(...guestArgv)
      process.kill(await onlyPart("keep"), "SIGKILL")
      // Taken over or settled, as the agent's session was when it happened; never lost, never still at work unseen.
      expect(["idle", "stopped"]).toContain((await listed()).state)
      expect(place.states().length).toBe(1)
      expect(strays(await arena.take(), listedHosts, secret)).toEqual([])
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
      expect(existsSync(`/proc/${guest}`)).toBe(false)
      expect(partsOf(arena, "sidecar")).toEqual([])
    })
  })
}
