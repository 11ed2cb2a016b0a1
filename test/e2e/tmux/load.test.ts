import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { cpSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { version } from "../../../package.json"
import { makePlace, placeBinary, whos } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { startTmux, type TmuxServer } from "../../support/tmux.ts"
import { waitFor } from "../../support/wait.ts"

const checkout = join(import.meta.dir, "..", "..", "..")

describe.skipIf(!requirePart("tmux") || !requirePart("binary"))("the tmux plugin", () => {
  const place = makePlace(whos.at(-1) ?? "user")
  let tmux: TmuxServer
  const load = () => place.bottle(["tmux", "load"], { env: { ...place.env, TMUX: `${tmux.socket},1,0` } })
  /** All that a plugin could change. */
  const everything = async () =>
    (await Promise.all([tmux.tmux("list-keys"), tmux.tmux("show-options", "-g"), tmux.tmux("show-hooks", "-g")])).join()

  beforeAll(async () => {
    tmux = await startTmux(["sh"], { cwd: place.work })
    // Another plugin's work: a status line with a script, a hook of its own.
    await tmux.tmux("set-option", "-g", "status-left", "#(true) #{session_name} ")
    await tmux.tmux("set-option", "-g", "status-right", "#{bottle_status}#{battery} %H:%M")
    await tmux.tmux("set-hook", "-g", "pane-exited[3]", "display-message other")
  })
  afterAll(() => tmux?.stop())

  test("binds its keys, fills the placeholder, publishes its binary, and says nothing", async () => {
    const { code, stdout, stderr } = await load()
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" })
    const bound = (await tmux.tmux("list-keys", "-T", "prefix"))
      .split("\n")
      .filter((line) => / B +if-shell /.test(line))
    expect(bound.join()).toContain("tmux start --pane #{q:pane_id}")
    expect(await tmux.tmux("list-keys", "-N")).toContain("bottle: start an agent, or act on this one")
    expect((await tmux.tmux("list-keys", "-T", "bottle")).trim().split("\n")).toHaveLength(7)
    expect(await tmux.tmux("show-options", "-gv", "status-right")).toBe("#{@bottle_status}#{battery} %H:%M\n")
    expect(await tmux.tmux("show-options", "-gv", "@bottle_bin")).toBe(`${placeBinary(place)}\n`)
  })

  test("changes nothing when it is loaded ten times more, and nothing of anybody else's", async () => {
    const before = await everything()
    for (let times = 0; times < 10; times++) await load()
    expect(await everything()).toBe(before)
    expect(await tmux.tmux("show-options", "-gv", "status-left")).toBe("#(true) #{session_name} \n")
    expect(await tmux.tmux("show-hooks", "-g", "pane-exited")).toContain("display-message other")
  })

  test("takes its old key back when another is chosen", async () => {
    await tmux.tmux("set-option", "-g", "@bottle-key", "M-z")
    await load()
    const keys = await tmux.tmux("list-keys", "-T", "prefix")
    expect(keys).toContain(" M-z ")
    expect(keys.split("\n").filter((line) => /prefix +B +/.test(line))).toEqual([])
    await tmux.tmux("set-option", "-gu", "@bottle-key")
    await load()
  })

  test("names every bad option in the status line of whoever looks", async () => {
    const outer = await startTmux(["env", "-u", "TMUX", "tmux", "-S", tmux.socket, "attach"], { cols: 200, rows: 20 })
    try {
      await outer.see(" test ")
      await tmux.tmux(
        "set-option",
        "-g",
        "@bottle-surface",
        "#(touch /tmp/ran)",
        ";",
        "set-option",
        "-g",
        "@bottle-x",
        "1",
      )
      await load()
      await outer.see(/@bottle-surface: expected auto.*@bottle-x: no such option/)
    } finally {
      await outer.stop()
      await tmux.tmux("set-option", "-gu", "@bottle-surface", ";", "set-option", "-gu", "@bottle-x")
    }
  })

  test("is loaded by its entry at the root, from a clone and through a link, as a plugin manager does", async () => {
    const clone = join(place.dir, "clone")
    cpSync(join(checkout, "tmux"), join(clone, "tmux"), { recursive: true })
    for (const name of ["bottle.tmux", "package.json"]) cpSync(join(checkout, name), join(clone, name))
    symlinkSync(clone, join(place.dir, "linked"))
    for (const entry of [join(clone, "bottle.tmux"), join(place.dir, "linked", "bottle.tmux")]) {
      await tmux.tmux("set-option", "-gu", "@bottle_version")
      await tmux.tmux("set-option", "-g", "@bottle-bin", placeBinary(place))
      await tmux.tmux("set-environment", "-g", "BOT_BOTTLE_HOME", place.botHome)
      await tmux.tmux("run-shell", `'${entry}'`)
      const loaded = async () => (await tmux.tmux("show-options", "-gqv", "@bottle_version")).trim() === version
      await waitFor("the plugin to load", loaded)
    }
    await tmux.tmux("set-option", "-gu", "@bottle-bin")
  })

  test.skipIf(whos.length === 1)("a server of another user's is an error, not a silence", async () => {
    await Bun.$`chmod 711 ${join(tmux.socket, "..")} && chmod 777 ${tmux.socket}`.quiet()
    const other = makePlace("user")
    const { code, stderr } = await other.bottle(["tmux", "load"], {
      env: { ...other.env, TMUX: `${tmux.socket},1,0` },
    })
    expect(code).toBe(1)
    expect(stderr).toContain("error: tmux: ")
  })

  test("outside tmux the command says where it belongs", async () => {
    const { code, stderr } = await place.bottle(["tmux", "load"])
    expect(code).toBe(4)
    expect(stderr).toContain("bottle tmux install")
  })

  test("install shows its lines and adds them once; uninstall takes them out; the rest stays", async () => {
    const conf = join(place.home, ".tmux.conf")
    await Bun.write(conf, "set -g mouse on\n")
    const refused = await place.bottle(["tmux", "install"])
    expect(refused.code).toBe(2)
    expect(readFileSync(conf, "utf8")).toBe("set -g mouse on\n")
    const done = await place.bottle(["tmux", "install", "--yes"])
    expect(done.stderr).toContain("run-shell")
    expect(readFileSync(conf, "utf8")).toContain(`run-shell -b '"${placeBinary(place)}" tmux load'`)
    const again = await place.bottle(["tmux", "install", "--yes"])
    expect(again.stderr).toContain("already")
    await place.bottle(["tmux", "uninstall", "--yes"])
    expect(readFileSync(conf, "utf8")).toBe("set -g mouse on\n")
  })
})
