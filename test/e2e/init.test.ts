import { afterEach, describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, type Place, placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { startTmux, type TmuxServer } from "../support/tmux.ts"

const enabled = requirePart("tmux") && requirePart("binary") && requirePart("bwrap")
const patience = 120_000

describe.skipIf(!enabled)("the first five minutes", () => {
  let tmux: TmuxServer
  afterEach(() => tmux?.stop())

  async function shellIn(place: Place): Promise<TmuxServer> {
    const env = ["env", "-u", "TMUX", ...Object.entries(place.env).map(([key, value]) => `${key}=${value}`)]
    return startTmux([...env, "sh", "-i"], { cwd: place.work, cols: 100, rows: 50 })
  }

  test("bottle init asks, writes, checks, offers the tmux line; and the bottle it wrote runs", async () => {
    const place = makePlace(whos.at(-1) ?? "user")
    tmux = await shellIn(place)
    await tmux.type(`CLAUDE_CODE_OAUTH_TOKEN=not-to-be-shown ${placeBinary(place)} init`)
    await tmux.keys("Enter")
    await tmux.see("which agent?", patience)
    // The last of the list: a program of one's own.
    await tmux.keys("Up")
    await tmux.see(/[●>] +another program/, patience)
    await tmux.keys("Enter")
    await tmux.see("name of the agent", patience)
    await tmux.keys("Enter")
    await tmux.see("name of the bottle", patience)
    await tmux.keys("Enter")
    await tmux.see("add bottle's keys to your tmux.conf?", patience)
    await tmux.type("y")
    const screen = await tmux.see("next: start tmux and press prefix + B", patience)
    expect(screen).toMatch(/agents\/worker.md/)
    expect(readFileSync(join(place.botHome, "bottles", "dev.md"), "utf8")).toContain("template: command")
    expect(readFileSync(join(place.home, ".tmux.conf"), "utf8")).toContain("tmux load")
    await tmux.type(`${placeBinary(place)} start worker --yes -- sh -c 'echo it''runs'`)
    await tmux.keys("Enter")
    await tmux.see(/^itruns/m, patience)
  })

  test("a token that is set is found by its name, and its value shows nowhere", async () => {
    const place = makePlace(whos.at(-1) ?? "user")
    tmux = await shellIn(place)
    await tmux.type(`CLAUDE_CODE_OAUTH_TOKEN=$(echo not-to-be | tr - _)shown ${placeBinary(place)} init`)
    await tmux.keys("Enter")
    await tmux.see("which agent?", patience)
    for (let step = 0; step < 4 && !/[●>] +claude/.test(await tmux.screen()); step++) await tmux.keys("Up")
    await tmux.keys("Enter")
    const asked = await tmux.see(/CLAUDE_CODE_OAUTH_TOKEN \(found\)/, patience)
    expect(asked).not.toContain("not_to_beshown")
    await tmux.keys("Enter")
    await tmux.see("name of the agent", patience)
    await tmux.keys("Enter")
    await tmux.see("name of the bottle", patience)
    await tmux.keys("Enter")
    await tmux.see("add bottle's keys", patience)
    await tmux.type("n")
    await tmux.see("next: bottle start claude", patience)
    const bottle = readFileSync(join(place.botHome, "bottles", "dev.md"), "utf8")
    expect(bottle).toContain("auth_token: CLAUDE_CODE_OAUTH_TOKEN")
    expect(bottle).not.toContain("not_to_beshown")
    expect(existsSync(join(place.home, ".tmux.conf"))).toBe(false)
  })

  test("Escape anywhere writes nothing and exits with 130", async () => {
    const place = makePlace(whos.at(-1) ?? "user")
    const before = place.listing()
    tmux = await shellIn(place)
    await tmux.type(`${placeBinary(place)} init; echo code $?`)
    await tmux.keys("Enter")
    await tmux.see("which agent?", patience)
    await tmux.keys("Escape")
    await tmux.see("code 130", patience)
    expect(place.listing()).toEqual(before)
  })
})
