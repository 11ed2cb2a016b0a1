import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { argvOf, processTree } from "../../support/bench/processes.ts"
import { makePlace, whos } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { ask, type Operator, sitDown } from "../../support/tmux-operator.ts"
import { waitFor } from "../../support/wait.ts"

const enabled = requirePart("tmux") && requirePart("binary") && requirePart("bwrap")

const place = makePlace(whos.at(-1) ?? "user")

describe.skipIf(!enabled)("the badge", () => {
  let operator: Operator
  let slug: string
  const paneOption = (name: string) => operator.inner.tmux("show-options", "-pqv", "-t", "%0", name)

  beforeAll(async () => {
    place.writeBottle("dev", "agent_provider: {template: command}")
    place.writeAgent("builder", "bottle: dev")
    operator = await sitDown(place)
    slug = await operator.start("builder")
  }, 300_000)
  afterAll(() => operator?.close())

  const pending = (count: string) =>
    waitFor(`@bottle_pending ${count}`, async () => (await operator.option("@bottle_pending")) === count)

  test("is empty and counts nothing once the plugin has loaded", async () => {
    expect([await operator.option("@bottle_pending"), await operator.option("@bottle_degraded")]).toEqual(["0", "0"])
    expect(await operator.option("@bottle_status")).toBe("")
  })

  test("says how many wait, rings in the agent's window, names the pane's state, and goes with the decision", async () => {
    // Two terminals look at another window: tmux flags the bell of a window that nobody looks at.
    await operator.inner.tmux("new-window", "-d", "-n", "other", "sh")
    await operator.inner.tmux("select-window", "-t", "other")
    const first = ask(place, slug, { host: "a.example", justification: "one" })
    await operator.outer.see("bottle: 1 asks")
    const bell = () => operator.inner.tmux("display-message", "-p", "-t", "%0", "#{window_bell_flag}")
    await waitFor("the bell", async () => (await bell()).trim() === "1")
    const second = ask(place, slug, { host: "b.example", justification: "two" })
    await operator.outer.see("bottle: 2 ask ")
    await waitFor("the state", async () => (await paneOption("@bottle_state")) === "asks\n")
    const { proposals } = JSON.parse((await place.bottle(["proposals", "--json"])).stdout) as {
      proposals: { id: string }[]
    }
    for (const { id } of proposals) await place.bottle(["proposals", "reject", id, "--reason", "no"])
    expect(await first).toContain("rejected")
    expect(await second).toContain("rejected")
    await pending("0")
    await waitFor("the badge to go", async () => !(await operator.outer.screen()).includes("bottle: "))
    await waitFor("the state", async () => (await paneOption("@bottle_state")) === "running\n")
  }, 300_000)

  test("says that a bottle is degraded while its egress is down, also on the pane", async () => {
    const states = new Set<string>()
    const seen = new Set<string>()
    const look = async () => {
      states.add((await paneOption("@bottle_state")).trim())
      seen.add(await operator.option("@bottle_degraded"))
      return seen.has("1") && states.has("degraded")
    }
    await waitFor(
      "the degraded bottle",
      async () => {
        for (const pid of egressOf(slug)) {
          try {
            process.kill(pid, "SIGKILL")
          } catch {
            // It went by itself.
          }
        }
        return look()
      },
      300_000,
    )
    await waitFor("it to recover", async () => (await operator.option("@bottle_degraded")) === "0")
    await waitFor("the state", async () => (await paneOption("@bottle_state")) === "running\n")
  }, 300_000)

  test("goes when a bottle ends with its questions open, and a server that is gone is forgotten", async () => {
    void ask(place, slug, { host: "c.example", justification: "three" })
    await pending("1")
    const other = await sitDown(place)
    expect(await other.option("@bottle_pending")).toBe("1")
    const folder = join(place.env.XDG_RUNTIME_DIR ?? "", "bot-bottle")
    const servers = () => readdirSync(folder, { recursive: true }).filter((name) => /\.tmux\/./.test(String(name)))
    expect(servers()).toHaveLength(2)
    await other.close()
    await place.bottle(["stop", slug])
    await pending("0")
    await waitFor("the dead server to be forgotten", () => servers().length === 1)
  }, 300_000)
})

/** Pids of one bottle's egress: below its own keeper. */
function egressOf(slug: string): number[] {
  const { pid } = JSON.parse(readFileSync(join(place.botHome, "state", slug, "keeper.json"), "utf8")) as { pid: number }
  return processTree(pid).filter((one) => {
    const argv = argvOf(one)
    return argv[1] === "sidecar" && argv.includes("--child") && argv.includes("egress")
  })
}
