import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { furnishClaude } from "../../support/claude-place.ts"
import { askedHost } from "../../support/cli-source.ts"
import type { PretendModel } from "../../support/model/server.ts"
import { makePlace, placeBinary, whos } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { type Operator, sitDown } from "../../support/tmux-operator.ts"
import { waitFor } from "../../support/wait.ts"

const enabled = requirePart("tmux") && requirePart("binary") && requirePart("bwrap") && requirePart("claude")

describe.skipIf(!enabled)("the real Claude Code in a pane of tmux", () => {
  const place = makePlace(whos.at(-1) ?? "user")
  let model: PretendModel
  let operator: Operator

  beforeAll(async () => {
    model = await furnishClaude(place)
    operator = await sitDown(place)
  }, 300_000)
  afterAll(async () => {
    await operator?.close()
    await model?.close()
  })

  const call = (tool: string, given: object) => `CALL ${tool} ${JSON.stringify(given)}`
  const get = call("Bash", {
    command: `curl -sS -w ' status-%{http_code}' https://${askedHost}/asked/new 2>&1`,
    description: "look",
  })
  const plead = { host: askedHost, path_allowlist: ["/asked/new"], justification: "for the new one" }
  const arrived = () => model.requests.filter(({ path }) => path.startsWith("/asked/")).map(({ path }) => path)

  test("is refused, asks, is approved in the popup, and its next request passes, without leaving the pane", async () => {
    const { inner, outer } = operator
    // The terminal that the person looks at is nobody's: tmux flags each bell that reaches it.
    const rung = async () => (await outer.tmux("display-message", "-p", "-t", "test", "#{window_bell_flag}")).trim()
    place.writeWork("script", [get, call("mcp__supervise__egress-block", plead), get, "SAY it-went-through"].join("\n"))
    await inner.see("ready>")
    expect(await rung()).toBe("0")
    await inner.type(`${placeBinary(place)} start claude --yes --first "$(cat ${join(place.work, "script")})"`)
    await inner.keys("Enter")

    await outer.see("bottle: 1 asks")
    await waitFor("the bell", async () => (await rung()) === "1")
    expect(arrived()).toEqual([])
    await outer.keys("C-b", "B")
    await outer.see("next proposal")
    await outer.keys("n")
    const popup = await outer.see("a approve  m modify")
    for (const words of [`+ https://${askedHost}: /asked/new`, "for the new one"]) expect(popup).toContain(words)
    await outer.keys("a")
    await outer.see("approve for [s this session]")
    expect(arrived()).toEqual([])
    await outer.keys("Enter")
    await outer.see("any key closes this")
    await outer.keys("q")

    await outer.see(/(?<!SAY )it-went-through/)
    expect(arrived()).toEqual(["/asked/new"])
    const heard = model.requests.map(({ body }) => body).join("\n")
    expect(heard).toMatch(/status-403[\s\S]*approved[\s\S]*status-200/)
    await waitFor("the badge to go", async () => !(await outer.screen()).includes("bottle: "))
    expect((await inner.tmux("list-panes", "-a", "-F", "#{pane_id}")).trim()).toBe("%0")
  }, 300_000)
})
