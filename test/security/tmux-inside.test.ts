import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { ask, type Operator, sitDown } from "../support/tmux-operator.ts"
import { waitFor } from "../support/wait.ts"

const enabled = requirePart("tmux") && requirePart("binary") && requirePart("bwrap") && requirePart("curl")

/** An agent whose operator sits in tmux: it finds no way there, and its words are only shown. */
describe.skipIf(!enabled)("from inside a bottle, the operator's tmux", () => {
  const place = makePlace(whos.at(-1) ?? "user")
  let operator: Operator
  let slug: string

  beforeAll(async () => {
    place.writeBottle("dev", "agent_provider: {template: command}")
    place.writeAgent("builder", "bottle: dev")
    // The terminal's title is the pane's alone: tmux renames a window by itself while its program starts.
    const titles = { "set-titles": "on", "set-titles-string": "#{pane_title}" }
    operator = await sitDown(place, { "allow-passthrough": "on", "set-clipboard": "on", ...titles })
    slug = await operator.start("builder")
  }, 300_000)
  afterAll(() => operator?.close())

  const inside = async (script: string) => (await place.bottle(["exec", slug, "--", "sh", "-c", script])).stdout

  test("is named nowhere and cannot be reached", async () => {
    const { socket } = operator.inner
    const look = `env | grep -i tmux; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -i '^tmux'
ls -la ${socket} 2>/dev/null; ls /tmp | grep -i tmux; find / -xdev -type s -not -path '/proc/*' 2>/dev/null | grep -i tmux
cat /proc/net/unix | grep -i tmux; echo looked`
    expect(await inside(look)).toBe("looked\n")
    const reach = `python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("${socket}"); print("IN")' 2>&1 | tail -1`
    expect(await inside(reach)).not.toContain("IN\n")
  })

  test("gets nothing by passthrough, clipboard or title from what the agent prints", async () => {
    const before = await operator.outer.tmux("display-message", "-p", "#{pane_title}")
    const codes = [
      "\\033Ptmux;\\033\\033]52;c;aGFja2Vk\\007\\033\\\\",
      "\\033]52;c;aGFja2Vk\\007",
      "\\033]2;owned\\007",
      "\\033kowned\\033\\\\",
    ]
    // What is typed to the agent's cat comes back as its output.
    await inside(`for tty in /dev/pts/[0-9]*; do printf '${codes.join("")}said' > $tty; done`)
    await operator.outer.see("said")
    expect(await operator.inner.tmux("list-buffers")).toBe("")
    expect(await operator.outer.tmux("list-buffers")).toBe("")
    expect(
      await operator.inner.tmux("display-message", "-p", "-t", "%0", "#{pane_title} #{window_name}"),
    ).not.toContain("owned")
    expect(await operator.outer.tmux("display-message", "-p", "#{pane_title}")).toBe(before)
  })

  test("shows the words of a proposal, and does nothing they say", async () => {
    const mark = `${place.dir}/ran`
    const justification = `#(touch ${mark})$(touch ${mark})#[hidden]shown\u001b]52;c;aGFja2Vk\u0007\u001b]2;owned\u0007\u001b[2J\u001b[8mconcealed\r\nblast radius: nothing new\u202e;kill-server;`
    const asked = ask(place, slug, { host: "a.example", justification })
    await operator.outer.see("bottle: 1 asks")
    expect(await operator.option("@bottle_status")).toBe("#[reverse] bottle: 1 asks #[noreverse]")
    await operator.outer.keys("C-b", "B")
    await operator.outer.see("next proposal")
    await operator.outer.keys("n")
    const screen = (await operator.outer.see("kill-server;")).replaceAll(/ *│\n.*?│ */g, "")
    for (const words of ["#(touch", "#[hidden]shown", "␛]52;c;aGFja2Vk␇", "␛[8mconcealed", "<U+202E>;kill-server;"]) {
      expect(screen).toContain(words)
    }
    // The agent's own heading stands indented under its reason.
    expect(await operator.outer.screen()).toMatch(/│ {2}blast radius: nothing new/)
    await operator.outer.see("a approve")
    await operator.outer.keys("q")
    await waitFor("it to close", async () => !(await operator.outer.screen()).includes("kill-server"))
    expect(await operator.inner.tmux("list-buffers")).toBe("")
    expect(await operator.outer.tmux("list-buffers")).toBe("")
    expect(await Bun.file(mark).exists()).toBe(false)
    const { proposals } = JSON.parse((await place.bottle(["proposals", "--json"])).stdout)
    await place.bottle(["proposals", "reject", proposals[0].id, "--reason", "no"])
    await asked
  }, 300_000)
})
