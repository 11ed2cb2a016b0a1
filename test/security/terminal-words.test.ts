import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { terminalAttacks } from "../support/terminal/attacks.ts"
import { type OperatorShell, openShell, startInBackground } from "../support/terminal/operator-shell.ts"

/** SECURITY 22, 23: words of strangers (files of a repository, labels, refused names, logs) only ever show as text. */

const here = requirePart("binary") && requirePart("bwrap")

/** What must never reach the terminal, as characters: controls in 7 and 8 bits, and what turns text around. */
const hidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u
const spice = `${terminalAttacks.map(({ text }) => text).join("")}\u009b31m\u202egnp.exe\u2066\u200b\u{e0041}`
const short = "\x1b]52;c;AAAA\x07\u009d0;t\u009c\u202e"

describe.skipIf(!here)("words of strangers", () => {
  if (!here) return
  const place = makePlace("user")
  let slug = ""
  let shell: OperatorShell

  beforeAll(async () => {
    place.writeBottle("dev", "agent_provider: {template: command}\negress: {log: 2}")
    const agents = join(place.work, ".bot-bottle", "agents")
    mkdirSync(agents, { recursive: true })
    const quoted = JSON.stringify(short).replaceAll("\\u00", "\\x")
    writeFileSync(join(agents, "good.md"), `---\ndescription: ${quoted}\nbottle: dev\n---\n${spice}\n`)
    writeFileSync(join(agents, "named.md"), `---\nbottle: ${quoted}\nskills: [${quoted}]\n---\n`)
    writeFileSync(join(agents, "broken.md"), `---\n${quoted}: 1\n---\n`)
    writeFileSync(join(agents, "raw.md"), `---\n${spice}\n---\n`)
    writeFileSync(join(agents, `${short}.md`), "---\nbottle: dev\n---\n")
    slug = await startInBackground(place)
    const attempts = [
      `CONNECT ${short.replaceAll(" ", "")}:443 HTTP/1.1\r\n\r\n`,
      `CONNECT \u009b31mevil.test:443 HTTP/1.1\r\nHost: \u009b31mevil.test:443\r\n\r\n`,
      `GET http://evil.test/${short} HTTP/1.1\r\nHost: evil.test\r\n\r\n`,
      `GET http://xn--\u009b.test/ HTTP/1.1\r\nHost: ${short}\r\nX: ${short}\r\n\r\n`,
      `${short} http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n`,
      `GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\nUser-Agent: ${short}\r\n\r\n`,
    ]
    for (const text of attempts) {
      const octal = [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")
      const send = `exec 3<>/dev/tcp/127.0.0.1/9099; printf '${octal}' >&3; head -c 12 <&3`
      const { stdout } = await place.bottle(["exec", slug, "--", "bash", "-c", send])
      expect(stdout).toMatch(/^HTTP\/1.1 4/)
    }
    const state = join(place.botHome, "state", slug)
    for (const file of ["sidecars.log", "bringup.log", "teardown.log"]) appendFileSync(join(state, file), `${spice}\n`)
    appendFileSync(join(state, "egress", "egress.jsonl"), `${JSON.stringify({ host: short })}\n${short}\n`)
    shell = await openShell(place)
  }, 300_000)
  afterAll(async () => {
    await shell.leave()
    for (const name of place.states()) await place.bottle(["destroy", name, "--yes"])
  })

  const label = "$(printf '\\033]52;c;AAAA\\007\\302\\2335n')"
  test.each([
    ["list agents", "list agents"],
    ["list agents --json", "list agents --json"],
    ["info of an agent", "info good"],
    ["info --json of an agent", "info good --json"],
    ["info of a broken agent", "info broken"],
    ["info --json of a broken agent", "info broken --json"],
    ["info of a name that is none", `info "${label}"`],
    ["info --json of a name that is none", `info "${label}" --json`],
    ["the preflight", "start good --bottle dev --dry-run -- true"],
    ["the preflight as data", "start good --bottle dev --dry-run --json -- true"],
    ["a suggested bottle", "start named --dry-run -- true"],
    ["a suggested bottle, as data", "start named --dry-run --json -- true"],
    ["a refused start", "start --headless good -- true"],
    ["a label", `start good --bottle dev --label "${label}" --dry-run -- true`],
    ["a label, as data", `start good --bottle dev --label "${label}" --dry-run --json -- true`],
    ["a bottle under a label", `start --headless --bottle dev --label "${label}" -- false; bottle list`],
    ["bottles under labels, as data", "list --json"],
    ["the logs", "logs SLUG"],
    ["one log", "logs SLUG --source egress"],
    ["info of a bottle", "info SLUG"],
    ["info --json of a bottle", "info SLUG --json"],
    ["the end of a bottle", "stop SLUG"],
    ["the logs after the end", "logs SLUG"],
  ])("%s shows them as text", async (_, command) => {
    const shown = await shell.run(`bottle ${command.replace("SLUG", slug)}`)
    const found = hidden.exec(shown)
    expect(found === null ? "" : JSON.stringify(shown.slice(Math.max(0, found.index - 80), found.index + 40))).toBe("")
    expect(shell.terminal.effects).toEqual([])
    expect(shell.terminal.changed).toEqual([])
    expect(shown).not.toContain("bottle itself failed")
  })

  test("the questions of a start show them as text", async () => {
    shell.begin("bottle start")
    await shell.see(/agent[\s\S]*good[\s\S]*named/)
    const { text, effects } = shell.terminal
    expect(text).not.toMatch(/\x1b\]|[\x80-\x9f\u202e]/)
    expect(effects).toEqual([])
    shell.type("\x03")
    await shell.ready()
    expect(shell.terminal.changed).toEqual([])
  })

  test("data with hidden characters reads back as the same data", async () => {
    const { stdout } = await place.bottle(["list", "agents", "--json"])
    expect(stdout).not.toMatch(hidden)
    const { agents } = JSON.parse(stdout) as { agents: { name: string; description?: string }[] }
    expect(agents.find(({ name }) => name === "good")?.description).toBe(short)
  })
})
