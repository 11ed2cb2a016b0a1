import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { dashboardEnabled, patience, useDashboard } from "../../support/dashboard-place.ts"

setDefaultTimeout(300_000)

/** The keys that find a row, and those that act on one. */
describe.skipIf(!dashboardEnabled)("the dashboard's keys", () => {
  const at = useDashboard()
  const cursorOn = (slug: string) => at.server.see(new RegExp(`^> +${slug}`, "m"), patience)

  test("move the cursor, filter the rows, open a proposal, and edit the allowlist", async () => {
    const [first, second] = [await at.start("apple"), await at.start("berry")]
    const editor = join(at.place.work, "allow.sh")
    writeFileSync(editor, '#!/bin/sh\necho listed.example.com > "$1"\n', { mode: 0o755 })
    await at.open({}, { VISUAL: `sh ${editor}` })
    await cursorOn(first)
    for (const [key, slug] of [
      ["j", second],
      ["k", first],
      ["Down", second],
      ["Up", first],
      ["G", second],
      ["g", first],
    ] as const) {
      await at.server.keys(key)
      await cursorOn(slug)
    }
    await at.server.keys("/")
    await at.server.see("Enter keeps it, Esc shows all", patience)
    await at.server.type("berry")
    await cursorOn(second)
    expect(await at.server.screen()).not.toContain(first)
    await at.server.keys("Escape")
    await at.server.see(first, patience)

    await at.server.keys("g")
    await cursorOn(first)
    await at.server.keys("p")
    await at.server.see("allowlist: edited, in force", patience)
    const allowed = await at.place.bottle(["allowlist", "show", first])
    expect(allowed.stdout).toContain("listed.example.com")

    await at.asks(second, "asked.example.com")
    await at.server.see("PROPOSALS 1 (focused)", patience)
    await at.server.keys("v")
    await at.server.see("approving adds", patience)
    await at.server.keys("q")
    await at.server.see("PROPOSALS 1 (focused)", patience)
    await at.server.keys("Tab")
    await at.server.see("AGENTS 2 (focused)", patience)
    await at.server.keys("q")
    await at.left()
  })

  test("in a bare terminal n asks what a start asks, and backing out of it leaves all as it was", async () => {
    at.place.writeAgent("cherry", "bottle: dev")
    await at.open({}, { TMUX: "", TMUX_PANE: "" })
    await at.server.see("no agent runs", patience)
    const before = at.place.states()
    await at.server.keys("n")
    await at.server.see(/[◆●] .*(agent|cherry)/, patience)
    await at.server.keys("Escape")
    await at.server.see("no agent runs", patience)
    expect(at.place.states()).toEqual(before)
  })
})
