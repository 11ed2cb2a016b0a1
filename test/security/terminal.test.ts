import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { allAttacks, attackBefore, cutOff, terminalAttacks } from "../support/terminal/attacks.ts"
import { GullibleTerminal } from "../support/terminal/gullible.ts"
import { findBottle, type OperatorShell, openShell, startInBackground } from "../support/terminal/operator-shell.ts"
import { waitFor } from "../support/wait.ts"

/** SECURITY 22 on a bare terminal: whatever an agent writes, and however it ends, the terminal only draws. */

const here = requirePart("binary") && requirePart("bwrap")
const lastAttack = `@${terminalAttacks.at(-1)?.name}@`

describe("without bottle the terminal falls for", () => {
  test.each([...terminalAttacks, ...cutOff].map((attack) => [attack.name, attack] as const))("%s", (_, attack) => {
    const terminal = new GullibleTerminal()
    terminal.write(Buffer.from(attack.text))
    expect([...terminal.effects, ...terminal.changed].join("\n")).toContain(attack.effect)
  })
})

describe.skipIf(!here)("on a bare terminal", () => {
  if (!here) return
  const place = makePlace("user")
  let slug = ""
  let shell: OperatorShell

  beforeAll(async () => {
    place.writeBottle("dev", "agent_provider: {template: command}")
    place.writeWork("attacks", allAttacks())
    slug = await startInBackground(place)
  }, 300_000)
  afterAll(async () => {
    for (const name of place.states()) await place.bottle(["destroy", name, "--yes"])
  })
  beforeEach(async () => {
    shell = await openShell(place)
  })
  afterEach(() => shell.leave())

  /** Nothing happened but drawing, nothing is left changed, nothing was typed, and the line discipline is as before. */
  async function expectUntouched(settings: string): Promise<void> {
    const { effects, text } = shell.terminal
    const places = effects.map((effect) => `${effect} after ${attackBefore(text, text.indexOf(effect.slice(0, 4)))}`)
    expect(places).toEqual([])
    expect(shell.terminal.changed).toEqual([])
    // Once by bottle itself, at the end of a session that asked for reports; never by an agent.
    expect(shell.terminal.statusAsked).toBeLessThanOrEqual(1)
    expect(lines(await shell.run("stty -a"))).toEqual(lines(settings))
    expect(lines(await shell.run("echo typed"))).toEqual(["echo typed", "typed"])
  }

  const surfaces: [string, (slug: string) => string][] = [
    ["exec -it", (name) => `bottle exec ${name} -it -- cat attacks`],
    ["exec", (name) => `bottle exec ${name} -- cat attacks`],
    ["exec -i", (name) => `bottle exec ${name} -i -- cat attacks </dev/null`],
    ["exec, on stderr", (name) => `bottle exec ${name} -- sh -c 'cat attacks >&2'`],
    ["exec, stderr alone a terminal", (name) => `bottle exec ${name} -- sh -c 'cat attacks >&2' >/dev/null`],
    ["exec, stdout alone a terminal", (name) => `bottle exec ${name} -- cat attacks 2>/dev/null`],
    ["exec, byte by byte over both", (name) => `bottle exec ${name} -- sh /workspace/alternate`],
    ["start", () => "bottle start --yes --cwd --bottle dev -- cat attacks"],
    ["start --headless", () => "bottle start --headless --cwd --bottle dev -- cat attacks"],
    [
      "start --headless, stderr alone a terminal",
      () => "bottle start --headless --cwd --bottle dev -- sh -c 'cat attacks >&2' >/dev/null",
    ],
  ]
  test.each(surfaces)(
    "no attack works through %s",
    async (name, command) => {
      if (name.includes("byte by byte")) {
        const alternate = `perl -e '$| = 1; local $/; open F, "attacks"; for (split //, <F>) { $n++ % 2 ? syswrite(STDOUT, $_) : syswrite(STDERR, $_) }'`
        const made = await place.bottle(["exec", slug, "--", "sh", "-c", 'printf %s "$0" > alternate', alternate])
        expect(made.code).toBe(0)
      }
      const settings = await shell.run("stty -a")
      const shown = await shell.run(command(slug))
      if (!name.includes("byte by byte")) expect(shown).toContain(lastAttack)
      await expectUntouched(settings)
    },
    300_000,
  )

  test("no attack works through attach, after the window of the first session was closed", async () => {
    const first = await openShell(place)
    first.begin("bottle start --yes --cwd --bottle dev -- sh -c 'cat attacks; exec sleep 1000'")
    await first.see(lastAttack)
    const name = await waitFor("its slug", () => place.states().find((one) => one !== slug))
    first.close()
    await waitFor("the bottle to be idle", async () => (await stateOf(name)) === "idle")
    const settings = await shell.run("stty -a")
    shell.begin(`bottle attach ${name}`)
    await shell.see(lastAttack)
    expect((await place.bottle(["stop", name])).code).toBe(0)
    await shell.ready()
    await expectUntouched(settings)
  }, 300_000)

  test.each(cutOff.map(({ name, text }) => [name, text] as const))(
    "what follows output that was cut off in %s is drawn",
    async (_, text) => {
      const settings = await shell.run("stty -a")
      const octal = [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")
      await shell.run(`bottle exec ${slug} -it -- printf '${octal}'`)
      await expectUntouched(settings)
    },
    300_000,
  )

  test("an agent that is killed in the middle leaves nothing changed", async () => {
    const settings = await shell.run("stty -a")
    await shell.run(`bottle exec ${slug} -it -- sh -c 'cat attacks; printf "\\033]52;c;"; kill -9 $$'`)
    await expectUntouched(settings)
  }, 300_000)

  test.each(["SIGKILL", "SIGTERM", "SIGHUP"] as const)(
    "a session whose bottle command gets %s leaves nothing changed",
    async (signal) => {
      const settings = await shell.run("stty -a")
      shell.begin(`bottle exec ${slug} -it -- sh -c 'cat attacks; exec sleep 1000'`)
      await shell.see(lastAttack)
      expect(shell.terminal.changed).not.toEqual([])
      const pid = await waitFor("the command", () => findBottle(place, "exec", "-it", slug)[0])
      process.kill(pid, signal)
      await shell.see(/cursor shape left@[\s\S]*ready> /)
      await waitFor("the terminal to be put back", () => shell.terminal.changed.length === 0)
      await waitFor("the line discipline", async () => {
        const now = lines(await shell.run("stty -a"))
        return now.join() === lines(settings).join()
      })
      await expectUntouched(settings)
    },
    300_000,
  )

  test("a stop from elsewhere ends a session with nothing changed", async () => {
    const settings = await shell.run("stty -a")
    shell.begin("bottle start --yes --cwd --bottle dev -- sh -c 'cat attacks; exec sleep 1000'")
    await shell.see(lastAttack)
    const name = await waitFor("its slug", () => place.states().find((one) => one !== slug))
    await place.bottle(["stop", name])
    await shell.ready()
    await expectUntouched(settings)
  }, 300_000)

  test("a keeper that is killed ends a session with nothing changed", async () => {
    const settings = await shell.run("stty -a")
    shell.begin("bottle start --yes --cwd --bottle dev -- sh -c 'cat attacks; exec sleep 1000'")
    await shell.see(lastAttack)
    const name = await waitFor("its slug", () => place.states().find((one) => one !== slug))
    const keepers = findBottle(place, "keep", name)
    expect(keepers).not.toEqual([])
    for (const pid of keepers) process.kill(pid, "SIGKILL")
    await shell.ready()
    await expectUntouched(settings)
    await place.bottle(["destroy", name, "--yes"])
  }, 300_000)

  test("without -t the operator's terminal keeps its lines, and its interrupt ends the program", async () => {
    const settings = await shell.run("stty -a")
    shell.begin(`bottle exec ${slug} -i -- sh -c 'echo begun; cat; exec sleep 1000'`)
    await shell.see("\nbegun")
    shell.type("a lime\x7f\x7fne\n")
    await shell.see("\r\na line\r\n")
    shell.type("\x03")
    await shell.ready()
    await expectUntouched(settings)
  }, 300_000)

  test("nothing can be pushed into a terminal's input from inside, and without -t there is no terminal", async () => {
    const push = `$c = "X"; for $n (0x5412, 0x541c) { print ioctl(STDIN, $n, $c) ? "pushed" : "refused", "\\n" }`
    const pushed = await shell.run(`bottle exec ${slug} -it -- perl -e '${push}'`)
    expect(pushed.match(/^(pushed|refused)\r?$/gm)?.map((line) => line.trim())).toEqual(["refused", "refused"])
    const without = await shell.run(`bottle exec ${slug} -- sh -c '(: </dev/tty) 2>/dev/null || echo no terminal'`)
    expect(without).toContain("\nno terminal")
    const own = await shell.run(`bottle exec ${slug} -it -- sh -c 'tty; ls /dev/pts'`)
    expect(own).not.toContain(`pts/${process.pid}`)
    await expectUntouched(await shell.run("stty -a"))
  }, 300_000)

  async function stateOf(name: string): Promise<string | undefined> {
    const listed = JSON.parse((await place.bottle(["list", "--json"])).stdout) as {
      active: { slug: string; state: string }[]
    }
    return listed.active.find((row) => row.slug === name)?.state
  }
})

function lines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "ready>")
}
