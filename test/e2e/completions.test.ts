import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, type Place } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { startTmux, type TmuxServer } from "../support/tmux.ts"

/** What is typed before Tab, and what the line or the offer shows after it. */
const cases: readonly [typed: string, shown: string | RegExp][] = [
  ["bottle comp", "bottle completions"],
  ["bottle start bui", "bottle start builder"],
  ["bottle start --bott", "bottle start --bottle"],
  ["bottle start builder --bottle nar", "--bottle narrow"],
  ["bottle start --color=gre", "--color=green"],
  ["bottle start builder --backend name", "--backend namespace"],
  ["bottle attach claude-x", "bottle attach claude-x7k2p"],
  ["bottle proposals list --bottle claude-x", "--bottle claude-x7k2p"],
  ["bottle logs old", "bottle logs older-00000"],
  ["bottle logs claude-x7k2p --source egr", "--source egress"],
  ["bottle help dest", "bottle help destroy"],
  ["bottle exec claude-x7k2p -- unam", "-- uname"],
  ["bottle s", /secret[\s\S]*start[\s\S]*stop/],
]

const shells = {
  bash: {
    argv: (_: Place) => ["bash", "--norc", "--noprofile", "-i"],
    setUp: (dir: string) => `bind 'set show-all-if-ambiguous on'; source ${dir}/bottle.bash`,
  },
  zsh: {
    argv: () => ["zsh", "-f", "-i"],
    setUp: (dir: string) => `fpath=(${dir} $fpath); autoload -U compinit; compinit -u -D`,
  },
  fish: {
    argv: () => ["fish", "--no-config", "-i"],
    setUp: (dir: string) => `source ${dir}/bottle.fish`,
  },
} as const

describe.skipIf(!requirePart("tmux") || !requirePart("binary"))("completion", () => {
  const place = makePlace("user")
  beforeAll(async () => {
    place.writeBottle("narrow", "")
    place.writeAgent("builder", "bottle: narrow")
    for (const dir of ["state/claude-x7k2p", "logs/older-00000"]) {
      mkdirSync(join(place.botHome, dir), { recursive: true })
    }
    for (const [kind, name] of [
      ["bash", "bottle.bash"],
      ["zsh", "_bottle"],
      ["fish", "bottle.fish"],
    ] as const) {
      writeFileSync(join(place.dir, name), (await place.bottle(["completions", kind])).stdout)
    }
  })

  for (const [name, { argv, setUp }] of Object.entries(shells)) {
    describe.skipIf(!requirePart(name === "bash" ? "tmux" : name))(`in ${name}`, () => {
      let tmux: TmuxServer
      beforeAll(async () => {
        const env = { ...place.env, PATH: `${place.dir}:${place.env.PATH}`, PS1: "> ", PROMPT: "> " }
        tmux = await startTmux(
          ["env", ...Object.entries(env).map(([key, value]) => `${key}=${value}`), ...argv(place)],
          {
            cwd: place.work,
            cols: 110,
            rows: 40,
          },
        )
        await tmux.type(`${setUp(place.dir)}; echo set''-up`)
        await tmux.keys("Enter")
        await tmux.see(/^set-up/m)
      })
      afterAll(() => tmux?.stop())

      for (const [typed, shown] of cases) {
        test(typed, async () => {
          await tmux.keys("C-e", "C-u", "C-l")
          await tmux.type(typed)
          await tmux.see(typed)
          await tmux.keys("Tab")
          const screen = await tmux.see(shown)
          expect(screen).not.toContain("command not found")
        })
      }
    })
  }

  test("a file whose name a shell would expand is offered to none", async () => {
    mkdirSync(join(place.botHome, "state", "$(touch x)"), { recursive: true })
    writeFileSync(join(place.botHome, "agents", "`id`.md"), "")
    const { stdout } = await place.bottle(["__complete", "slugs", "agents"])
    expect(stdout).toBe("builder\nclaude-x7k2p\n")
  })
})
