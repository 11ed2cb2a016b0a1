import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, type Place, placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { startTmux, type TmuxServer } from "../support/tmux.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap") && requirePart("tmux")

/** An interactive program for bottles: says whether it goes on with an earlier session, then echoes. */
const script = 'if [ -e seen ]; then echo "again in $(tty)"; else touch seen; echo "first in $(tty)"; fi; exec cat'

for (const who of here ? whos : []) {
  describe(`on a terminal, as ${who}`, () => {
    const place = makePlace(who)
    let tmux: TmuxServer
    beforeAll(() => {
      place.writeBottle("dev", "agent_provider: {template: command}")
      place.writeBottle("extra", "env: {EXTRA: seen}")
      place.writeAgent("builder", "bottle: dev\ndescription: builds things")
    })
    afterEach(async () => {
      await tmux.stop()
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    const open = async (...args: string[]) => {
      tmux = await startTmux(inShell(place, [placeBinary(place), ...args]), { cols: 90, rows: 30 })
      return tmux
    }
    const ended = (code: number) => tmux.see(`exit code ${code}`)
    const active = async () => JSON.parse((await place.bottle(["list", "active", "--json"])).stdout).active

    test("the plan is shown and the default answer is no: exit 130, nothing made", async () => {
      const before = place.listing()
      await open("start", "builder", "--", "cat")
      const screen = await tmux.see("launch?")
      expect(screen).toContain("supervise")
      expect(screen).toMatch(/agent +builder/)
      await tmux.keys("Enter")
      await ended(130)
      expect(place.listing()).toEqual(before)
    })

    for (const [name, steps] of [
      ["the agent", []],
      ["the bottles", ["Enter"]],
      ["the label", ["Enter", "Enter"]],
      ["the colour", ["Enter", "Enter", "Enter"]],
      ["the copy", ["Enter", "Enter", "Enter", "Enter"]],
    ] as const) {
      test(`cancelling at ${name} makes nothing and exits 130`, async () => {
        const questions = ["agent", "bottles, in merge order", "label", "colour", "copy "]
        const before = place.listing()
        await open("start")
        for (const [at, key] of steps.entries()) {
          await tmux.see(`◆  ${questions[at]}`)
          await tmux.keys(key)
        }
        await tmux.see(`◆  ${questions[steps.length]}`)
        await tmux.keys("C-c")
        await ended(130)
        expect(place.listing()).toEqual(before)
      })
    }

    test("the agent has a terminal of its own, keys reach it, and its end is settled", async () => {
      await open("start", "builder", "--yes", "--", "sh", "-c", `${script}`)
      await tmux.see(/first in \/dev\/pts\/\d+/)
      await tmux.type("typed by hand")
      await tmux.keys("Enter")
      await waitFor("the echo", async () => (await tmux.screen()).split("typed by hand").length === 3)
      await tmux.keys("C-d")
      await tmux.see("state kept: the workspace holds work")
      await ended(0)
    })

    test("a closed pane ends the agent's process and leaves the bottle idle; attach goes on", async () => {
      await open("start", "builder", "--yes", "--", "sh", "-c", script)
      await tmux.see("first in")
      const [{ slug }] = await active()
      await tmux.stop()
      await waitFor("idle", async () => (await active())[0]?.state === "idle")
      const programs = async () =>
        (await place.bottle(["exec", slug, "--", "sh", "-c", "tail -qn1 /proc/*/comm"])).stdout
      await waitFor("its process to end", async () => !(await programs()).split("\n").includes("cat"))
      await open("attach", slug)
      await tmux.see("again in")
      expect((await active())[0].state).toBe("running")
      const second = await place.bottle(["stop", slug])
      expect(second.stderr).toContain("state kept")
      await tmux.see(/exit code \d+/)
    })

    test("a second terminal for the same agent is refused with a way out", async () => {
      await open("start", "builder", "--yes", "--", "sh", "-c", script)
      await tmux.see("first in")
      const [{ slug }] = await active()
      const other = await startTmux(inShell(place, [placeBinary(place), "attach", slug]))
      try {
        await other.see("already has a terminal")
        await other.see("bottle exec")
      } finally {
        await other.stop()
      }
    })

    test("the size of the terminal follows the pane", async () => {
      await open("start", "builder", "--yes", "--", "sh", "-c", "while :; do stty size; sleep 0.1; done")
      await tmux.see("30 90")
      await tmux.tmux("resize-window", "-t", "test", "-x", "100", "-y", "20")
      await tmux.see("20 100")
    })

    test("headless on a terminal gives the agent one, elsewhere pipes and a closed stdin", async () => {
      const ask = ["start", "builder", "--headless", "--", "sh", "-c", "tty; wc -c < /dev/stdin"]
      const piped = await place.bottle(ask, { input: "not passed on" })
      expect(piped.stdout).toBe("not a tty\n0\n")
      await open(...ask.slice(0, -1), "tty")
      await tmux.see(/\/dev\/pts\/\d+/)
    })

    test("a preserve marker wins over a clean end", async () => {
      await open("start", "builder", "--yes", "--", "cat")
      await waitFor("running", async () => (await active())[0]?.state === "running")
      const [slug = ""] = place.states()
      writeFileSync(join(place.botHome, "state", slug, ".preserve"), "stopped\n")
      const stopped = await place.bottle(["stop", slug])
      expect(stopped.stderr).toContain("marked to be preserved")
      expect(place.states()).toEqual([slug])
    })

    test("the logs of a bottle can be read after its clean end", async () => {
      await open("start", "builder", "--yes", "--", "true")
      await tmux.see("nothing left behind")
      const [, slug = ""] = /logs (builder-\w+)/.exec(await tmux.screen()) ?? []
      const logs = await place.bottle(["logs", slug, "--source", "bringup"])
      expect(logs.stdout).toContain("fence inside ok interfaces: lo")
      expect(existsSync(join(place.botHome, "state", slug))).toBe(false)
      expect(readFileSync(join(place.botHome, "logs", slug, "teardown.log"), "utf8")).toContain("state removed")
    })
  })
}

/** argv run as this person below a shell that says the exit code and stays: tmux 3.3a now and then misses it. */
function inShell(place: Place, argv: string[]): string[] {
  const env = Object.entries(place.env).map(([name, value]) => `${name}=${value}`)
  return ["sh", "-c", '"$@"; echo "exit code $?"; exec sleep 120', "sh", "env", "-i", ...env, ...place.as(argv)]
}
