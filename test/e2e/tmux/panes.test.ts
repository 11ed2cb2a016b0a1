import { afterEach, describe, expect, test } from "bun:test"
import { makePlace, placeBinary, whos } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { startTmux, type TmuxServer } from "../../support/tmux.ts"
import { waitFor } from "../../support/wait.ts"

const enabled = requirePart("tmux") && requirePart("binary") && requirePart("bwrap")

describe.skipIf(!enabled)("the pane of an agent", () => {
  const place = makePlace(whos.at(-1) ?? "user")
  let tmux: TmuxServer | undefined
  afterEach(async () => {
    await tmux?.stop()
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
  })

  test("carries the bottle's slug while it is attached, also after break-pane, and none after its end", async () => {
    place.writeBottle("plain", "")
    place.writeAgent("builder", "bottle: plain")
    const env = ["env", ...Object.entries(place.env).map(([key, value]) => `${key}=${value}`)]
    tmux = await startTmux([...env, "sh", "-i"], { cwd: place.work })
    const server = tmux
    const option = async (name: string) => (await server.tmux("show-options", "-pqv", "-t", "%0", name)).trim()
    await server.type(`${placeBinary(place)} start builder --yes --color red -- sh -c 'echo the agent; cat'`)
    await server.keys("Enter")
    await server.see(/^the agent/m)
    await waitFor("the tag", async () => (await option("@bottle_slug")) !== "")
    const [slug = ""] = place.states()
    expect(await option("@bottle_slug")).toBe(slug)
    expect(await option("@bottle_style")).toBe("#[fg=red]")
    await server.tmux("split-window", "-t", "%0", "sleep 1000")
    await server.tmux("break-pane", "-s", "%0")
    expect(await server.tmux("list-panes", "-a", "-f", "#{@bottle_slug}", "-F", "#{pane_id}")).toBe("%0\n")
    await place.bottle(["stop", slug])
    await waitFor("the tag to go", async () => (await option("@bottle_slug")) === "")
    expect(await option("pane-border-format")).toBe("")
  })
})
