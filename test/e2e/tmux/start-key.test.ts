import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, placeBinary, whos } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { expectNoJob } from "../../support/tmux/no-job.ts"
import { startTmux, type TmuxServer } from "../../support/tmux.ts"
import { waitFor } from "../../support/wait.ts"

const enabled = requirePart("tmux") && requirePart("binary") && requirePart("bwrap")
const patience = 120_000

/** What the operator sees is the outer server's screen; the plugin is loaded in the inner one. */
describe.skipIf(!enabled)("keys", () => {
  const place = makePlace(whos.at(-1) ?? "user")
  let inner: TmuxServer
  let outer: TmuxServer
  place.writeBottle("plain", "")
  // A CLI that a file describes: it says hello and waits.
  const contrib = join(place.botHome, "contrib", "hello")
  const bin = join(place.dir, "bin")
  for (const dir of [contrib, bin]) mkdirSync(dir, { recursive: true })
  writeFileSync(join(contrib, "provider.yaml"), "command: {program: hello-cli}\nsupervise: {register: [none]}\n")
  writeFileSync(join(bin, "hello-cli"), "#!/bin/sh\necho hello from the agent\ncat\n")
  chmodSync(join(bin, "hello-cli"), 0o755)
  place.env.PATH = `${bin}:${place.env.PATH}`
  place.env.RAN = join(place.dir, "ran")
  place.writeBottle("hello", "agent_provider: {template: hello}")
  place.writeAgent("greeter", "bottle: hello\ndescription: Says hello")
  place.writeAgent("builder", "bottle: plain")
  place.writeAgent("other", "bottle: plain")
  // A directory's name is whatever a repository says.
  const odd = join(place.work, "it's #(touch $RAN) #[hidden]")
  mkdirSync(odd, { recursive: true })

  beforeEach(async () => {
    inner = await startTmux(["sh"], { cwd: place.work, env: place.env })
    for (const [name, value] of Object.entries(place.env)) await inner.tmux("set-environment", "-g", name, value)
    const loaded = await place.bottle(["tmux", "load"], { env: { ...place.env, TMUX: `${inner.socket},1,0` } })
    expect(loaded.stderr).toBe("")
    const attach = ["env", "-u", "TMUX", "tmux", "-u", "-S", inner.socket, "attach"]
    outer = await startTmux(attach, { cols: 120, rows: 40, env: { RAN: place.env.RAN ?? "" } })
    // Keys in one burst are a paste to tmux, and run no bindings.
    await inner.tmux("set-option", "-g", "assume-paste-time", "0")
    await outer.see("[test]", patience)
  })
  afterEach(async () => {
    for (const server of [inner, outer]) await expectNoJob(server, place.env.RAN ?? "")
    await outer.stop()
    await inner.stop()
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
  })
  const key = (letter: string) => outer.keys("C-b", letter)
  /** In the popup, up to the question for a label. */
  const chooseGreeter = async () => {
    await outer.see("◆  agent", patience)
    await outer.type("gree")
    await outer.see(/● greeter/, patience)
    await outer.keys("Enter")
    await outer.see("bottles, in merge order: hello", patience)
    await outer.keys("Enter")
  }

  test("prefix + B asks, shows the plan, and the agent gets the pane beside", async () => {
    await outer.type("cd it*; pwd")
    await outer.keys("Enter")
    await outer.see(/^\/.*#\[hidden\]/m, patience)
    await key("B")
    await chooseGreeter()
    await outer.see("label", patience)
    await outer.keys("Enter")
    await outer.see("colour", patience)
    await outer.keys("Enter")
    const asked = await outer.see(/copy .* into the workspace/, patience)
    expect(asked).toContain("#(touch $RAN) #[hidden]")
    await outer.keys("Enter")
    await outer.see("launch?", patience)
    await outer.type("y")
    const screen = await outer.see("hello from the agent", patience)
    expect(screen).toContain("fence proved")
    const panes = await inner.tmux("list-panes", "-F", "#{@bottle_slug} #{@bottle_role} #{pane_current_path}")
    const [slug = ""] = place.states()
    expect(slug).toStartWith("greeter-")
    expect(panes).toContain(`${slug} agent ${odd}`)
    // It is the agent's own terminal: what is typed reaches it.
    await outer.type("to the agent")
    await outer.keys("Enter")
    await waitFor("the echo", async () => (await outer.screen()).split("to the agent").length === 3, patience)

    // The next of the same agent is offered a label that is free.
    await key("B")
    await outer.see("bottle: s start an agent", patience)
    await outer.keys("s")
    await chooseGreeter()
    await outer.see(/│ {2}greeter-2 /, patience)
    await outer.keys("Escape")
  })

  test("Escape closes it, and nothing was made", async () => {
    const before = place.listing()
    await key("B")
    await outer.see("agent", patience)
    await outer.keys("Escape")
    await waitFor("the popup to close", async () => !(await outer.screen()).includes("greeter"), patience)
    expect(place.listing()).toEqual(before)
  })

  test("on an agent's pane the key opens the menu: routes, logs, stop", async () => {
    const start = `${placeBinary(place)} start builder --yes --label hi -- sh -c 'echo the agent; cat'`
    await outer.type(start)
    await outer.keys("Enter")
    await outer.see(/^the agent/m, patience)
    await waitFor("the tag", async () => (await inner.tmux("list-panes", "-a", "-F", "#{@bottle_slug}")).trim() !== "")
    const [slug = ""] = place.states()
    await key("B")
    await outer.see("bottle: s start an agent, d dashboard", patience)
    await outer.keys("r")
    await outer.see("press a key to close", patience)
    await outer.keys("q")
    await waitFor("it to close", async () => !(await outer.screen()).includes("press a key"), patience)
    await key("B")
    await outer.see("bottle: s start", patience)
    await outer.keys("x")
    await outer.see(`stop ${slug}?`, patience)
    await outer.type("y")
    await outer.see("press a key to close", patience)
    await outer.keys("q")
    const rows = JSON.parse((await place.bottle(["list", "--json"])).stdout).active
    expect(rows.filter(({ state }: { state: string }) => state === "running")).toEqual([])
  })
})
