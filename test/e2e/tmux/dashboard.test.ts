import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { dashboardEnabled, patience, useDashboard } from "../../support/dashboard-place.ts"
import { ask } from "../../support/tmux-operator.ts"
import { waitFor } from "../../support/wait.ts"

setDefaultTimeout(300_000)

/** Key by key in tmux, on real bottles of the namespace backend. */
describe.skipIf(!dashboardEnabled)("the dashboard", () => {
  const at = useDashboard()

  test("starts in the agents, says what to do, and leaves the terminal as it was", async () => {
    await at.open()
    const screen = await at.server.see("nothing is asked", patience)
    expect(screen).toContain("AGENTS 0 (focused)")
    expect(screen).toContain("no agent runs; n starts one")
    await at.server.keys("?")
    await at.server.see("KEYS")
    await at.server.keys("q")
    await at.server.see("AGENTS 0 (focused)")
    await at.server.keys("x")
    await at.server.see("no agent runs: n starts one")
    await at.server.keys("Tab")
    await at.server.see("PROPOSALS 0 (focused)")
    await at.server.keys("e")
    await at.server.see("e acts on an agent: Tab goes to the agents")
    await at.server.keys("q")
    await at.left()
    expect(await at.server.tmux("display-message", "-p", "-t", "%0", "#{alternate_on} #{cursor_flag}")).toBe("0 1\n")
  })

  test("a proposal moves focus and cursor; a, then Enter, after a quiet second, puts it in force", async () => {
    const slug = await at.start("one")
    await at.open()
    await at.server.see(slug, patience)
    expect(await at.server.see("e, p, x, l act on")).toContain(slug)
    await at.asks(slug, "docs.example.com")
    const screen = await at.server.see("PROPOSALS 1 (focused)")
    expect(screen).toContain("(new!)")
    expect(screen).toMatch(/^> .*docs\.example\.com/m)
    await at.server.keys("Enter")
    await at.server.see("approving adds", patience)
    await at.server.keys("a")
    await at.server.see("not counted", patience)
    await at.server.keys("Enter")
    await at.quiet()
    await at.server.keys("a")
    await at.server.see("Enter approves until the bottle ends", patience)
    await at.server.keys("a")
    await at.server.see("a approve  m modify", patience)
    expect(await at.policy(slug)).not.toContain("docs.example.com")
    await at.server.keys("a", "Enter")
    await at.server.see("approved, in force", patience)
    expect(await at.policy(slug)).toContain("docs.example.com")
    await at.server.keys("u")
    await at.server.see(/take back .*docs\.example\.com/, patience)
    await at.server.keys("y")
    await at.server.see("undone", patience)
    expect(await at.policy(slug)).not.toContain("docs.example.com")
    await at.server.keys("q")
    await at.left()
  })

  test("reject takes a reason, and an empty one aborts; modify goes through the editor", async () => {
    const slug = await at.start("two")
    const editor = join(at.place.work, "editor.sh")
    writeFileSync(editor, `#!/bin/sh\necho "path_allowlist: [/only]" >> "$1"\necho "$1" > ${at.place.work}/edited\n`, {
      mode: 0o755,
    })
    await at.open({}, { EDITOR: `sh ${editor}` })
    await at.server.see(slug, patience)
    await at.asks(slug, "one.example.com")
    await at.server.keys("r")
    await at.server.see("approving adds", patience)
    await at.quiet()
    await at.server.keys("r")
    await at.server.see("reason:", patience)
    await at.server.keys("Enter")
    await at.server.see("rejection aborted", patience)
    await at.server.keys("r")
    await at.server.see("reason:", patience)
    await at.server.type("use the q mirror")
    await at.server.see("reason: use the q mirror_")
    await at.server.keys("Enter")
    await at.server.see("rejected", patience)
    expect((await at.about("one.example.com"))?.response?.notes).toBe("use the q mirror")
    await at.asks(slug, "two.example.com")
    await at.server.keys("m")
    await at.server.see("approving adds", patience)
    await at.quiet()
    await at.server.keys("m")
    await at.server.see(/YOUR TEXT[\s\S]*approving adds[\s\S]*\/only/, patience)
    expect(readFileSync(join(at.place.work, "edited"), "utf8")).toContain(".yaml")
    await at.quiet()
    await at.server.keys("a")
    await at.server.see("Enter approves", patience)
    await at.server.keys("Enter")
    await at.server.see("modified, in force", patience)
    expect((await at.about("two.example.com"))?.status).toBe("modified")
    expect(await at.policy(slug)).toContain("/only")
  })

  test("routes are edited in place, logs are read, and a bottle is stopped", async () => {
    const slug = await at.start("three")
    const editor = join(at.place.work, "routes.sh")
    writeFileSync(editor, `#!/bin/sh\ncat > "$1" <<'E'\n- host: edited.example.com\nE\n`, { mode: 0o755 })
    await at.open({}, { VISUAL: `sh ${editor}` })
    await at.server.see(slug, patience)
    await at.server.keys("e")
    await at.server.see("routes: edited, in force", patience)
    expect(await at.policy(slug)).toContain("edited.example.com")
    await at.server.keys("l")
    await at.server.see(`LOGS ${slug}`, patience)
    await at.server.see(/^bringup +/m, patience)
    await at.server.keys("q")
    await at.server.see("AGENTS 1 (focused)")
    await at.server.keys("x")
    await at.server.see(`stop ${slug}? y/N`)
    await at.server.keys("n")
    await at.server.see("goes on")
    await at.server.keys("x")
    await at.server.see(`stop ${slug}? y/N`)
    await at.server.keys("y")
    await at.server.see("no agent runs", patience)
    expect((await at.rows()).filter(({ state }) => state === "running")).toEqual([])
  })

  test("a bottle that starts, changes and ends elsewhere is seen without a key", async () => {
    await at.open()
    await at.server.see("no agent runs", patience)
    const slug = await at.start("seven")
    await at.server.see(new RegExp(`> +${slug} .*egress`), patience)
    await at.place.bottle(["stop", slug])
    await at.server.see("no agent runs", patience)
  })

  test("without colours, and at every size, it is all there", async () => {
    const slug = await at.start("eight")
    await at.open({}, { NO_COLOR: "1" })
    await at.server.see(slug, patience)
    await at.asks(slug, "plain.example.com")
    const colours = /\x1b\[(?:[0-9;]*;)?(?:3[0-7]|38|4[0-7]|48|9[0-7])(?:;[0-9;]*)?m/
    expect(await at.server.tmux("capture-pane", "-e", "-p", "-t", "%0")).not.toMatch(colours)
    for (const [cols, rows] of [
      [300, 100],
      [40, 10],
      [80, 24],
    ] as const) {
      await at.server.tmux("resize-window", "-t", "test", "-x", String(cols), "-y", String(rows))
      await waitFor(
        `a screen of ${cols} x ${rows}`,
        async () => {
          const lines = (await at.dashboard()).split("\n")
          const title = lines.find((line) => line.includes("AGENTS 1"))
          return title !== undefined && title.length === cols && (lines[rows - 1] ?? "").includes("act on")
        },
        patience,
      )
      expect(await at.dashboard()).toMatch(/^> /m)
    }
  })

  test("in a bare terminal Enter hands it over to the agent, and the dashboard comes back when that ends", async () => {
    const slug = await at.idle("bare")
    await at.open({}, { TMUX: "" })
    await at.server.see(slug, patience)
    await at.server.keys("Enter")
    await at.server.see(/^agent/m, patience)
    expect(await at.server.screen()).not.toContain("AGENTS")
    await at.server.type("to the agent")
    await at.server.keys("Enter")
    await at.server.see(/to the agent\s+to the agent/, patience)
    await at.server.keys("C-d")
    await at.server.see("AGENTS 0 (focused)", patience)
    await at.server.keys("q")
    await at.left()
    expect(await at.server.tmux("list-panes", "-a", "-F", "#{pane_id}")).toBe("%0\n")
  })

  test("--once prints what is asked, and its reason, as plain text", async () => {
    const none = await at.place.bottle(["dashboard", "--once"])
    expect([none.code, none.stdout, none.stderr]).toEqual([0, "", "no pending proposals\n"])
    const slug = await at.start("nine")
    void ask(at.place, slug, { host: "once.example.com", justification: "first\nsecond" })
    const asked = await waitFor(
      "the proposal",
      async () => {
        const { stdout } = await at.place.bottle(["dashboard", "--once"])
        return stdout === "" ? undefined : stdout
      },
      patience,
    )
    expect(asked).toMatch(new RegExp(`^\\d{4}-\\S+Z \\[${slug}\\] egress-block p[0-9a-z]{10}\n  first\n  second\n$`))
    const piped = await at.place.bottle(["dashboard"])
    expect(piped.code).toBe(2)
    expect(piped.stderr).toContain("--once")
  })
})
