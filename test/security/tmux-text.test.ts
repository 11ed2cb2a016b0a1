import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadPlugin, lookAt, say } from "../../src/tmux/load.ts"
import { findPanes, tagPane } from "../../src/tmux/panes.ts"
import { openSurface, type SurfaceKind } from "../../src/tmux/surface.ts"
import { openTmux, type Tmux } from "../../src/tmux/tmux.ts"
import { requirePart } from "../support/require.ts"
import { startTmux, type TmuxServer } from "../support/tmux.ts"
import { waitFor } from "../support/wait.ts"

/**
 * tmux expands formats in most texts it is given: `#(…)` runs a command, `#[…]` restyles, `;` ends a command. Every
 * place where we hand it a text gets the worst one here, and each is shown as it is: nothing runs, nothing is hidden.
 */
describe.skipIf(!requirePart("tmux"))("hostile text in tmux", () => {
  const dir = mkdtempSync(join(tmpdir(), "bs-"))
  const marks = join(dir, "m")
  let inner: TmuxServer
  let outer: TmuxServer
  let tmux: Tmux
  let client: string

  beforeAll(async () => {
    mkdirSync(marks)
    inner = await startTmux(["sh", "-c", "echo ready; exec cat"], { cols: 400, rows: 20 })
    outer = await startTmux(["env", "-u", "TMUX", "tmux", "-S", inner.socket, "attach"], { cols: 400, rows: 21 })
    await outer.see("ready")
    tmux = openTmux(inner.socket, process.env)
    client = (await inner.tmux("list-clients", "-F", "#{client_name}")).trim()
    // Keys of a test come as fast as a paste, for which tmux runs no bindings.
    await inner.tmux("set-option", "-g", "assume-paste-time", "0")
    await inner.tmux("set-option", "-g", "allow-passthrough", "on")
    await inner.tmux("set-option", "-g", "set-clipboard", "on")
    await inner.tmux("set-option", "-g", "set-titles", "on")
    await outer.tmux("set-option", "-g", "set-clipboard", "on")
  })
  afterAll(async () => {
    await outer?.stop()
    await inner?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const run = (name: string) => `touch ${join(marks, name)}`
  /** Commands of formats and shells, styles, ends of commands, lines, and what terminals act on. */
  const worst = (name: string) =>
    `x#(${run(`${name}-format`)})$(${run(`${name}-shell`)})\`${run(`${name}-tick`)}\`#[hidden]y#{E:@evil}` +
    `\u001b]52;c;aGFja2Vk\u0007\u001b]2;owned\u0007\n;kill-server;`
  async function close(kind: SurfaceKind): Promise<void> {
    if (kind === "popup") return void (await inner.tmux("display-popup", "-C", "-c", client))
    if (kind === "split") await inner.tmux("kill-pane", "-a", "-t", "%0")
    if (kind === "window") await inner.tmux("kill-window", "-a", "-t", "%0")
  }
  /** Name the pane as a program in it can. */
  async function title(text: string): Promise<void> {
    const tty = (await inner.tmux("display-message", "-p", "-t", "%0", "#{pane_tty}")).trim()
    writeFileSync(tty, `\u001b]2;${text}\u0007`)
    const named = () => inner.tmux("display-message", "-p", "-t", "%0", "#{pane_title}")
    await waitFor("the title", async () => (await named()).includes(text))
  }
  /** What was run, but for the first test's own. */
  const ran = () => readdirSync(marks).filter((name) => !name.startsWith("raw-"))
  /** A job of a format is started when it is drawn: by the time a later, slower one has ended it has run. */
  const settle = () => inner.tmux("run-shell", "sleep 0.3")
  async function expectUntouched(): Promise<void> {
    await settle()
    expect(ran()).toEqual([])
    expect(await inner.tmux("list-buffers")).toBe("")
    expect(await outer.tmux("list-buffers")).toBe("")
    expect(await outer.tmux("display-message", "-p", "#{pane_title}")).not.toContain("owned")
  }

  test("the same text, given as it is, does run: the tests below can fail", async () => {
    // A job that the next redraw meets before it has begun is ended: what runs nearly always is given again.
    await waitFor("the command", async () => {
      await inner.tmux("display-message", "-c", client, worst("raw").slice(0, -1))
      return existsSync(join(marks, "raw-format"))
    })
  })

  test("a message in the status line", async () => {
    await inner.tmux("set-option", "-g", "display-time", "20000")
    await say(tmux, client, worst("say"))
    const screen = await outer.see("#(touch")
    for (const shown of ["#[hidden]y", "␛]52;c;", "#{E:@evil}"]) expect(screen).toContain(shown)
    await expectUntouched()
  })

  test.each(["popup", "split", "window"] as const)(
    "title, directory and words of a surface: %s",
    async (kind: SurfaceKind) => {
      const { options, abilities } = await lookAt(tmux)
      const cwd = join(dir, `${kind}#(${run("cwd").replaceAll("/", ":")})#{pid};`)
      mkdirSync(cwd, { recursive: true })
      const argv = ["sh", "-c", 'pwd; printf "%s|" "$@"; exec cat', "sh", worst(kind), "last;"] as const
      const wish = { client, pane: "%0", argv, cwd, title: worst(kind) }
      const size = { ...options, popupWidth: "100%", popupHeight: "80%" }
      void openSurface(tmux, kind, size, abilities, wish)
      const screen = await outer.see("last;|")
      expect(screen.replaceAll(/[\n│]/g, "")).toContain(cwd)
      expect(screen).toContain("#[hidden]y#{E:@evil}")
      if (kind === "popup") expect(screen).toContain("x#(touch")
      // The program got its words byte for byte, and printed them itself: what they do to the inner terminal is its own.
      await inner.tmux("delete-buffer").catch(() => undefined)
      await outer.tmux("delete-buffer").catch(() => undefined)
      await close(kind)
      await waitFor("it to close", async () => !(await outer.screen()).includes("last;|"))
      await settle()
      expect(ran()).toEqual([])
      expect(await findPanes(tmux)).toEqual([])
    },
  )

  test("the label of a pane's border", async () => {
    await inner.tmux("set-option", "-g", "pane-border-status", "top")
    await inner.tmux("set-option", "-g", "@evil", `#(${run("border-option")})`)
    await title(`#(${run("border-title")})`)
    await tagPane(tmux, "%0", { slug: worst("slug"), color: `red]#(${run("colour")})#[hidden`, state: worst("state") })
    await outer.see("kill-server;", 5000)
    await expectUntouched()
    await inner.tmux("set-option", "-gu", "@evil")
  })

  test("a key, pressed in a pane that is named and lies as an agent likes", async () => {
    const bin = join(dir, `it's #(${run("bin").replaceAll("/", ":")}) $(x)`)
    await Bun.write(bin, `#!/bin/sh\nprintf '%s|' "$@" > ${join(dir, "pressed")}\n`)
    await Bun.$`chmod 755 ${bin}`.quiet()
    await inner.tmux("set-option", "-g", "@bottle-menu-key", "M-b")
    await loadPlugin(tmux, bin, "1.0")
    await title(`'; ${run("title")}; #(${run("title-format")})`)
    await inner.tmux("rename-window", "-t", "%0", `$(${run("window")})`)
    await inner.tmux("rename-session", "-t", "test", `$(${run("session")})`)
    await outer.keys("C-b", "M-b")
    await outer.keys("n")
    const pressed = async () =>
      existsSync(join(dir, "pressed")) && ((await Bun.file(join(dir, "pressed")).text()) || undefined)
    const words = await waitFor("the key's program", pressed)
    expect(words).toBe(`tmux|next|--pane|%0|--client|${client}|`)
    await expectUntouched()
  })
})
