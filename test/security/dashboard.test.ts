import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chownSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, placeBinary } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { expectNoJob } from "../support/tmux/no-job.ts"
import { startTmux, type TmuxServer } from "../support/tmux.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const enabled = requirePart("tmux") && requirePart("binary")
const patience = 120_000

/** What an agent, a repository or a label could hold: each would act on a terminal or on tmux if it came through. */
const attacks: Readonly<Record<string, string>> = {
  format: "#(touch $RAN) #[fg=red]#{pid}",
  clipboard: "\x1b]52;c;cm0gLXJm\x07",
  title: "\x1b]2;owned\x07\x1bkowned\x1b\\",
  erase: "\x1b[2J\x1b[H\x1b[31mOWNED",
  report: "\x1b[6n\x1b[c\x05",
  passthrough: "\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\",
  eightBit: "\u009b2J\u009d52;c;eA==\u009c",
  overwrite: "good\rEVIL\b\b\b",
  lines: "one\ntwo\n> p0000000000 approved",
  bidi: "\u202eevil\u202c\u2066x\u2069",
  invisible: "a\u200bb\u{e0041}c\ufeff",
  wide: "漢字".repeat(40),
  marks: `z${"\u0301".repeat(80)}`,
}

/** Whether a process with this word on its command line has this working directory. */
function runsIn(work: string, word: string): boolean {
  return readdirSync("/proc").some((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
      return argv.includes(word) && readlinkSync(`/proc/${pid}/cwd`) === work
    } catch {
      return false
    }
  })
}

/**
 * Text of an agent's in every place where the dashboard shows it. The queue's files are written as a keeper would whose
 * checks were got round: nothing of them may reach the terminal as it is.
 */
describe.skipIf(!enabled)("hostile text in the dashboard", () => {
  const place = makePlace("user")
  const ran = join(place.dir, "ran")
  place.env.RAN = ran
  let server: TmuxServer | undefined
  afterEach(() => server?.stop())

  function own(path: string, text?: string): void {
    if (text === undefined) mkdirSync(path, { recursive: true, mode: 0o700 })
    else writeFileSync(path, text, { mode: 0o600 })
    if (process.getuid?.() === 0) chownSync(path, 12_345, 12_345)
  }
  function plant(index: number, text: string): void {
    const slug = `bad-aaaa${index.toString(36)}`
    const id = `p${String(index).padStart(10, "0")}`
    own(join(place.botHome, "queue"))
    own(join(place.botHome, "queue", slug))
    const proposal = {
      ...{ schemaVersion: 1, id, bottle_slug: slug, tool: "egress-block", justification: text },
      ...{ proposed_file: `host: ${text}\n`, arrival_timestamp: new Date().toISOString(), current_file_hash: "0" },
    }
    own(join(place.botHome, "queue", slug, `${id}.proposal.json`), JSON.stringify(proposal))
    const state = join(place.botHome, "state", slug)
    own(join(place.botHome, "state"))
    own(state)
    own(join(state, ".preserve"), "closed\n")
    const metadata = {
      ...{ identity: slug, agent_name: text, cwd: text, copy_cwd: false, started_at: new Date().toISOString() },
      ...{ backend: "namespace", label: text, color: null, bottle_names: [text], provider: text },
    }
    own(join(state, "metadata.json"), JSON.stringify(metadata))
  }

  test("shows as marks, runs nothing, and sends the terminal nothing but what the dashboard draws", async () => {
    for (const [index, text] of Object.values(attacks).entries()) plant(index, text)
    const env = Object.entries(place.env).map(([key, value]) => `${key}=${value}`)
    server = await startTmux(["env", ...env, ...place.as(["sh", "-i"])], {
      cwd: place.work,
      cols: 200,
      rows: 60,
      env: { RAN: ran },
    })
    const tmux = server
    await tmux.tmux("set-option", "-g", "set-clipboard", "on")
    await tmux.tmux("set-option", "-g", "allow-passthrough", "on")
    const raw = join(place.dir, "raw")
    await tmux.tmux("pipe-pane", "-t", "%0", `cat >> ${raw}`)
    await tmux.type(`${placeBinary(place)} dashboard; echo "left with $?"`)
    await tmux.keys("Enter")
    await tmux.see(`PROPOSALS ${Object.keys(attacks).length}`, patience)
    // The first frame may be looked at while it is drawn.
    const shown = ["#(touch $RAN) #[fg=red]#{pid}", "␛]52;c;cm0gLXJm␇", "<U+202E>evil", "<U+009B>2J", "good␍EVIL␈"]
    for (const text of shown) await tmux.see(text, patience)
    const screen = await tmux.screen()
    for (const text of shown) expect(screen).toContain(text)
    expect(screen.match(/^.*p0000000000 approved/gm)?.every((line) => line.includes("one␊two␊"))).not.toBe(false)
    await tmux.keys("Tab", "g")
    for (let left = Object.keys(attacks).length; left > 0; left -= 1) {
      await tmux.keys("Enter")
      await tmux.see("PROPOSAL p", patience)
      await tmux.keys("Escape")
      await tmux.see("PROPOSALS", patience)
      await tmux.keys("j")
    }
    await tmux.keys("/")
    await tmux.see("Enter keeps it")
    await tmux.type("x")
    await tmux.see("filter: x")
    await tmux.keys("Escape")
    await tmux.see(`PROPOSALS ${Object.keys(attacks).length}`)
    await tmux.keys("q")
    await tmux.see("left with 0", patience)
    const written = await Bun.file(raw).text()
    expect(written).not.toMatch(/\x1b\]52;[cps]*;[A-Za-z0-9]|\x1b\]2;owned|\x1bkowned|\x1b\[31mOWNED|\u202e|\u009b/)
    expect(await tmux.tmux("list-buffers")).toBe("")
    expect(await tmux.tmux("display-message", "-p", "-t", "%0", "#{pane_title}")).not.toContain("owned")
    await expectNoJob(tmux, ran)
  })

  test("a home that cannot be watched ends it on the normal screen, with the reason and a log", async () => {
    const other = makePlace("user")
    writeFileSync(join(other.botHome, "queue"), "not a folder")
    const env = Object.entries(other.env).map(([key, value]) => `${key}=${value}`)
    server = await startTmux(["env", ...env, ...other.as(["sh", "-i"])], { cwd: other.work })
    await server.type(`${placeBinary(other)} dashboard; echo "left with $?"`)
    await server.keys("Enter")
    const screen = await server.see("left with 1", patience)
    expect(screen).toContain("the dashboard failed")
    expect(screen.replaceAll("\n", "")).toContain("logs/dashboard-crash.log")
    expect(await Bun.file(join(other.botHome, "logs", "dashboard-crash.log")).text()).toContain("EEXIST")
    expect(await server.tmux("display-message", "-p", "-t", "%0", "#{alternate_on} #{cursor_flag}")).toBe("0 1\n")
  })

  test("a terminal that goes away ends it, and its guard", async () => {
    const other = makePlace("user")
    const env = Object.entries(other.env).map(([key, value]) => `${key}=${value}`)
    server = await startTmux(["env", ...env, ...other.as([placeBinary(other), "dashboard"])], { cwd: other.work })
    const tmux = server
    await tmux.see("AGENTS 0 (focused)", patience)
    const left = () => ["dashboard", "bottle-terminal-guard"].filter((word) => runsIn(other.work, word))
    expect(left()).toEqual(["dashboard", "bottle-terminal-guard"])
    await tmux.tmux("kill-pane", "-t", "%0")
    await waitFor("their end", () => left().length === 0, patience)
  })

  for (const signal of ["TERM", "HUP", "KILL"]) {
    test(`SIG${signal} gives the terminal back`, async () => {
      const other = makePlace("user")
      const env = Object.entries(other.env).map(([key, value]) => `${key}=${value}`)
      server = await startTmux(["env", ...env, ...other.as(["sh", "-i"])], { cwd: other.work })
      const tmux = server
      await tmux.type(`sh -c 'echo $$ > pid; exec ${placeBinary(other)} dashboard'; echo "left with $?"`)
      await tmux.keys("Enter")
      await tmux.see("AGENTS 0 (focused)", patience)
      process.kill(Number(await Bun.file(join(other.work, "pid")).text()), `SIG${signal}`)
      // After a kill the shell may speak before the guard does, on the screen that goes.
      if (signal !== "KILL") await tmux.see(/left with (143|129)/, patience)
      const modes = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"
      const back = async () => (await tmux.tmux("display-message", "-p", "-t", "%0", modes)).trim() === "0 1 0"
      await waitFor("the terminal as it was", back, patience)
      // Its first prompt may still be to come, or be gone with the other screen.
      await tmux.keys("Enter")
      await tmux.see(/\$\s*$/, patience)
      await tmux.type("echo still h''ere")
      await tmux.keys("Enter")
      await tmux.see(/^still here/m, patience)
    })
  }
})
