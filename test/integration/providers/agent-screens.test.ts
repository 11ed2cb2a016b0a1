import { afterEach, expect, test } from "bun:test"
import { copyFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { requirePart } from "../../support/require.ts"
import { type AgentWorld, allowedRequests, startAgentWorld } from "./agent-sandbox.ts"
import { makeTmuxScreen, seeUntil, type TmuxScreen } from "./tmux-screen.ts"

interface AgentScreen {
  template: string
  api: string
  settings: Readonly<Record<string, unknown>>
  /** Shown when it waits for a prompt. */
  ready: string
  /** A prompt that makes it run a shell command. */
  call: string
}

const screens: readonly AgentScreen[] = [
  {
    template: "claude",
    api: "api.anthropic.com",
    settings: {},
    ready: "bypass permissions on",
    call: 'CALL Bash {"command":"echo from-the-tool","description":"look"}',
  },
  {
    template: "codex",
    api: "api.openai.com",
    settings: { model: "pretend" },
    ready: "pretend",
    call: 'CALL exec_command {"cmd":"echo from-the-tool"}',
  },
  {
    template: "pi",
    api: "api.anthropic.com",
    settings: {},
    ready: "claude-opus",
    call: 'CALL bash {"command":"echo from-the-tool"}',
  },
]

let world: AgentWorld | undefined
let screen: TmuxScreen | undefined
afterEach(async () => {
  await screen?.close()
  await world?.close()
})

/** The picture once it has stayed the same for a second. */
async function steadyPicture(screen: TmuxScreen, name: string): Promise<string> {
  let last = ""
  let since = Date.now()
  return seeUntil(
    () => screen.picture(name),
    (picture) => {
      if (picture !== last) [last, since] = [picture, Date.now()]
      return Date.now() - since > 1000
    },
  )
}

/** Show recorded bytes as they are, without the filter, and stay. */
async function replay(screen: TmuxScreen, name: string, record: string): Promise<void> {
  await screen.run(name, ["sh", "-c", 'stty raw -echo; cat "$1"; exec sleep 1000', "sh", record])
}

/** Type a prompt and send it, again as long as the Enter is taken for a part of a paste. */
async function ask(screen: TmuxScreen, prompt: string, answer: string): Promise<void> {
  await screen.keys("filtered", "-l", prompt)
  let sent = 0
  await seeUntil(
    async () => {
      const text = await screen.text("filtered")
      if (!text.includes(answer) && Date.now() - sent > 1000) {
        sent = Date.now()
        await screen.keys("filtered", "Enter")
      }
      return text
    },
    (text) => text.includes(answer),
  )
}

for (const { template, api, settings, ready, call } of screens.filter(({ template }) => requirePart(template))) {
  test(`${template}: its screen works through the filter and is the same as without it, cell by cell`, async () => {
    const here = await startAgentWorld(template, api)
    world = here
    const seen = makeTmuxScreen(join(here.root, "tmux"))
    screen = seen
    const { session, command } = await here.prepare("screen", { settings })
    const record = join(here.root, "record")
    const relay = join(import.meta.dir, "filter-relay.ts")
    const title = "#{pane_title}"
    await seen.run("filtered", [process.execPath, relay, record, ...command(session.argv)])
    const titleBefore = await seen.ask("filtered", title)
    await seeUntil(
      () => seen.text("filtered"),
      (text) => text.includes(ready),
    )

    const compare = async (moment: string) => {
      const filtered = await steadyPicture(seen, "filtered")
      const kept = join(here.root, moment)
      copyFileSync(record, kept)
      await replay(seen, moment, kept)
      const unfiltered = await seeUntil(
        () => seen.picture(moment),
        (picture) => picture === filtered,
        5000,
      ).catch(() => seen.picture(moment))
      expect(unfiltered).toBe(filtered)
    }
    await compare("started")
    await ask(seen, call, "nothing to say [tool:")
    await compare("answered")

    expect(readFileSync(record, "latin1")).toContain("\x1b]0;")
    expect(await seen.ask("filtered", title)).toBe(titleBefore)
    expect(await seen.ask("answered", title)).not.toBe(titleBefore)
    const asked = [...new Set(here.model.requests.map(({ method, path }) => `${method} ${path}`))]
    expect(allowedRequests(session)).toEqual(expect.arrayContaining(asked))
    expect(new Set(here.proxy.asked)).toEqual(new Set([`${api}:443`]))
  }, 300_000)
}
