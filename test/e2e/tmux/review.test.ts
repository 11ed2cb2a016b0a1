import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, placeBinary, whos } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { createAuthority } from "../../support/tls/authority.ts"
import { respond, startUpstream, type Upstream } from "../../support/tls/upstream.ts"
import { ask, type Operator, sitDown } from "../../support/tmux-operator.ts"
import { waitFor } from "../../support/wait.ts"

const enabled = requirePart("tmux") && requirePart("binary") && requirePart("bwrap") && requirePart("curl")

const keysCount = "a approve  m modify"

describe.skipIf(!enabled)("a proposal's popup", () => {
  const place = makePlace(whos.at(-1) ?? "user")
  let operator: Operator
  let upstream: Upstream
  let slug: string

  beforeAll(async () => {
    const authority = createAuthority("upstream")
    upstream = await startUpstream({ authority, host: "api.test", reply: (_, stream) => respond(stream, "ok") })
    place.writeWork("ca.pem", authority.cert)
    const at = `connect_to: "127.0.0.1:${upstream.port}", ca: ${join(place.work, "ca.pem")}, allow_private: true`
    place.writeBottle(
      "dev",
      `agent_provider: {template: command}
egress: {routes: [{host: api.test, ${at}, path_allowlist: [/ok]}]}`,
    )
    place.writeAgent("builder", "bottle: dev")
    const editor = join(place.dir, "editor")
    writeFileSync(editor, '#!/bin/sh\nsed -i s/bad/better/ "$1"\n')
    chmodSync(editor, 0o755)
    operator = await sitDown(place, {}, { EDITOR: editor })
    slug = await operator.start("builder")
  }, 300_000)
  afterAll(async () => {
    await operator?.close()
    await upstream?.close()
  })
  afterEach(async () => {
    await operator.inner.tmux("set-option", "-gu", "@bottle-notify")
    await operator.inner.tmux("display-popup", "-C").catch(() => undefined)
    for (const { id } of await open()) await place.bottle(["proposals", "reject", id, "--reason", "over"])
  })

  const open = async (): Promise<{ id: string }[]> =>
    JSON.parse((await place.bottle(["proposals", "--json"])).stdout).proposals
  const opened = (count: number) => waitFor(`${count} open`, async () => (await open()).length === count)
  const asks = (path: string, of = slug, justification = `I need ${path}`) =>
    ask(place, of, { host: "api.test", path_allowlist: [path], justification })
  const get = async (path: string) => {
    const curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", `https://api.test${path}`]
    return (await place.bottle(["exec", slug, "--", ...curl])).stdout
  }
  /** The operator's key, then the menu's. */
  const openByKey = async () => {
    await operator.outer.keys("C-b", "B")
    await see("next proposal")
    await operator.outer.keys("n")
  }
  const see = (text: string | RegExp) => operator.outer.see(text)
  const gone = (text: string) => waitFor(`${text} to go`, async () => !(await operator.outer.screen()).includes(text))
  const leave = async () => {
    await see("any key closes this")
    await operator.outer.keys("q")
    await gone("no open proposals")
  }

  test("opens by key; a and Enter approve, and the agent's next request passes in the same session", async () => {
    expect(await get("/new")).toBe("403")
    const asked = asks("/new")
    await see("bottle: 1 asks")
    await openByKey()
    const screen = await see(keysCount)
    for (const words of ["1 of 1", "approving adds", "+ https://api.test: /new", "I need /new"]) {
      expect(screen).toContain(words)
    }
    await operator.outer.keys("a")
    await see("approve for [s this session]")
    expect(await get("/new")).toBe("403")
    await operator.outer.keys("Enter")
    await see("no open proposals")
    expect(await asked).toContain("approved")
    expect(await get("/new")).toBe("200")
    await leave()
    await see(/^the agent/m)
    await gone("bottle: 1 asks")
  }, 300_000)

  test("r rejects with a reason that the agent reads; an empty one rejects nothing", async () => {
    const asked = asks("/rejected")
    await opened(1)
    await openByKey()
    await see(keysCount)
    await operator.outer.keys("r")
    await see("reason: _")
    await operator.outer.keys("Enter")
    await see("not rejected")
    await operator.outer.keys("r")
    await operator.outer.type("use the mirror")
    await see("reason: use the mirror_")
    await operator.outer.keys("Enter")
    await see("rejected")
    expect(await asked).toContain("use the mirror")
    await leave()
  }, 300_000)

  test("m opens the editor in the popup; what was edited is what is approved", async () => {
    const asked = asks("/bad")
    await opened(1)
    await openByKey()
    await see(keysCount)
    await operator.outer.keys("m")
    const screen = await see("your text")
    expect(screen).toContain("+path_allowlist: [/better]")
    await see(keysCount)
    await operator.outer.keys("m")
    await see("modify aborted")
    await see(keysCount)
    await operator.outer.keys("a")
    await see("approve for")
    await operator.outer.keys("Enter")
    await see("modified")
    expect(await asked).toContain("operator modified before approving")
    expect([await get("/better"), await get("/bad")]).toEqual(["200", "403"])
    await leave()
  }, 300_000)

  test("keys that are typed while it appears, or held, approve nothing", async () => {
    await operator.inner.tmux("set-option", "-g", "@bottle-notify", "popup")
    let typing = true
    const typist = (async () => {
      // As a person does who is writing to the agent.
      while (typing) await operator.outer.keys("a", "Enter")
    })()
    const asked = asks("/typed")
    try {
      await see("wait: keys count")
      for (let times = 0; times < 30; times++) expect(await operator.outer.screen()).not.toContain("approve for")
      expect(await open()).toHaveLength(1)
    } finally {
      typing = false
      await typist
    }
    // Nothing of what was typed is kept for later.
    await see(keysCount)
    expect(await operator.outer.screen()).not.toContain("approve for")
    expect(await get("/typed")).toBe("403")
    await operator.outer.keys("a", "a", "a")
    await see("approve for")
    expect(await open()).toHaveLength(1)
    await operator.outer.keys("Escape")
    await see(keysCount)
    await operator.outer.keys("q")
    await gone(keysCount)
    await place.bottle(["proposals", "reject", (await open())[0]?.id ?? "", "--reason", "no"])
    await asked
  }, 300_000)

  test("several that come at once are shown one after the other in one popup, of two bottles", async () => {
    await operator.inner.tmux("set-option", "-g", "@bottle-notify", "bell,popup")
    const bin = placeBinary(place)
    const started = Bun.spawn([bin, "start", "--headless", "--bottle", "dev", "--", "sleep", "600"], {
      ...{ cwd: place.work, env: place.env, stdio: ["ignore", "ignore", "ignore"] },
    })
    try {
      const other = await waitFor("another bottle", () => place.states().find((name) => name !== slug))
      await waitFor("its agent", async () => (await place.bottle(["exec", other, "--", "true"])).code === 0)
      const all = [asks("/one"), asks("/two", other), asks("/three")]
      await see(/ of 3/)
      const seen = new Set<string>()
      for (let times = 0; times < 3; times++) {
        const screen = await see(keysCount)
        seen.add(/I need (\S+)/.exec(screen)?.[1] ?? "")
        await operator.outer.keys("r")
        await see("reason: _")
        await operator.outer.type("no")
        await see("reason: no_")
        await operator.outer.keys("Enter")
        await opened(2 - times)
      }
      expect([...seen].sort()).toEqual(["/one", "/three", "/two"])
      for (const answer of await Promise.all(all)) expect(answer).toContain("rejected")
      await leave()
      await place.bottle(["destroy", other, "--yes"])
    } finally {
      started.kill()
    }
  }, 300_000)

  test("a popup of somebody else's keeps its place; the proposal waits in the badge and comes by key", async () => {
    await operator.inner.tmux("set-option", "-g", "@bottle-notify", "popup")
    const client = (await operator.inner.tmux("list-clients", "-F", "#{client_name}")).trim()
    void operator.inner.tmux("display-popup", "-c", client, "-E", "echo of mine; cat").catch(() => undefined)
    await see("of mine")
    await operator.outer.type("typed")
    await see("typed")
    const asked = asks("/waits")
    await see("bottle: 1 asks")
    expect(await operator.outer.screen()).not.toContain("approving adds")
    await operator.outer.keys("C-c")
    await gone("of mine")
    await openByKey()
    await see("I need /waits")
    await see(keysCount)
    await place.bottle(["proposals", "reject", (await open())[0]?.id ?? "", "--reason", "elsewhere"])
    expect(await asked).toContain("elsewhere")
    await see("no open proposals")
    await leave()
  }, 300_000)

  test("what moves while it is looked at is said, drawn anew, and needs another look", async () => {
    const asked = asks("/moves")
    await opened(1)
    await openByKey()
    await see(keysCount)
    await operator.outer.keys("a")
    await see("approve for")
    const second = asks("/aside")
    await opened(2)
    const aside = (await open()).at(-1)?.id ?? ""
    expect((await place.bottle(["proposals", "approve", aside, "--yes"])).code).toBe(0)
    await see("it has moved since you looked")
    expect(await operator.outer.screen()).not.toContain("approve for")
    await see(keysCount)
    await operator.outer.keys("a")
    await see("approve for")
    await operator.outer.keys("Enter")
    await see("no open proposals")
    await Promise.all([asked, second])
    expect(await get("/moves")).toBe("200")
    await leave()
  }, 300_000)

  test("of two clients the one that was used last gets it; without one nothing is lost", async () => {
    await operator.inner.tmux("set-option", "-g", "@bottle-notify", "popup")
    const second = await operator.attach()
    // Activity has whole seconds.
    const used = async () => {
      const listed = await operator.inner.tmux("list-clients", "-F", "#{client_activity}")
      const [first = 0, last = 0] = listed.trim().split("\n").map(Number)
      return first !== last
    }
    await waitFor("one to be used later", async () => {
      await second.keys("F12")
      return used()
    })
    const asked = asks("/two-clients")
    await second.see("approving adds")
    expect(await operator.outer.screen()).not.toContain("approving adds")
    await second.see(keysCount)
    await second.keys("q")
    await waitFor("it to close", async () => !(await second.screen()).includes("approving adds"))
    await operator.inner.tmux("detach-client", "-a")
    await operator.inner.tmux("detach-client")
    const late = asks("/nobody")
    await opened(2)
    // The queue's file comes first, then the badge.
    await waitFor("the badge", async () => (await operator.option("@bottle_pending")) === "2")
    for (const { id } of await open()) await place.bottle(["proposals", "reject", id, "--reason", "no"])
    await Promise.all([asked, late])
  }, 300_000)
})
