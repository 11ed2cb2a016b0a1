import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { dashboardEnabled, patience, useDashboard } from "../../support/dashboard-place.ts"
import { ask } from "../../support/tmux-operator.ts"
import { waitFor } from "../../support/wait.ts"

setDefaultTimeout(300_000)

/** Agents in the pane beside it, and the focus of tmux. */
describe.skipIf(!dashboardEnabled)("the dashboard and its panes", () => {
  const at = useDashboard()

  test("in tmux an agent is shown beside, another takes its place, and a stop brings the next", async () => {
    const slug = await at.idle("four")
    const other = await at.idle("five")
    await at.open({ cols: 160, rows: 30 })
    await at.server.see(slug, patience)
    await at.server.see(other, patience)
    const panes = async () => await at.server.tmux("list-panes", "-t", "%0", "-F", "#{@bottle_slug} #{pane_active}")
    await at.server.keys("g", "Enter")
    await waitFor("the agent beside", async () => (await panes()).includes(`${slug} 1`), patience)
    await waitFor("its mark", async () => (await at.dashboard()).includes(`* ${slug}`), patience)
    await at.server.tmux("select-pane", "-t", "%0")
    await at.server.tmux("send-keys", "-t", "%0", "G", "Enter")
    await waitFor("the other beside", async () => (await panes()).includes(`${other} 1`), patience)
    await at.server.tmux("send-keys", "-t", "%0", "x")
    await waitFor("the question", async () => (await at.dashboard()).includes(`stop ${other}?`), patience)
    await at.server.tmux("select-pane", "-t", "%0")
    await at.server.tmux("send-keys", "-t", "%0", "y")
    await waitFor("the next one", async () => (await panes()).includes(`${slug} 0`), patience)
    expect(await panes()).toContain(" 1")
  })
  test("a pane beside that is closed by hand is noticed", async () => {
    const slug = await at.idle("six")
    await at.open({ cols: 160, rows: 30 })
    await at.server.see(slug, patience)
    await at.server.keys("Enter")
    await waitFor("its mark", async () => (await at.dashboard()).includes(`* ${slug}`), patience)
    const panes = (await at.server.tmux("list-panes", "-t", "%0", "-F", "#{pane_id}")).trim().split("\n")
    await at.server.tmux("kill-pane", "-t", panes.find((id) => id !== "%0") ?? "")
    await waitFor("the mark to go", async () => !(await at.dashboard()).includes(`* ${slug}`), patience)
    await waitFor("its state", async () => (await at.dashboard()).includes("(idle)"), patience)
  })

  test("a new proposal takes the focus to its pane where the operator wants that", async () => {
    const slug = await at.start("ten")
    await at.open({ cols: 160, rows: 30 })
    await at.server.see(slug, patience)
    await at.server.tmux("set-option", "-g", "@bottle-notify", "focus")
    const loaded = await at.place.bottle(["tmux", "load"], {
      env: { ...at.place.env, TMUX: `${at.server.socket},1,0` },
    })
    expect(loaded.stderr).toBe("")
    await at.server.tmux("new-window", "-t", "test", "sleep 600")
    const active = async () => (await at.server.tmux("display-message", "-p", "-t", "test:", "#{pane_id}")).trim()
    expect(await active()).not.toBe("%0")
    void ask(at.place, slug, { host: "focus.example.com", justification: "x" })
    await waitFor("the focus", async () => (await active()) === "%0", patience)
    await at.server.tmux("send-keys", "-t", "%0", "q")
    const tag = async () => (await at.server.tmux("show-options", "-pqv", "-t", "%0", "@bottle_dashboard")).trim()
    await waitFor("the tag to go", async () => (await tag()) === "", patience)
  })
})
