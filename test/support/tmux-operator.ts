import { type Place, placeBinary } from "./place.ts"
import { startTmux, type TmuxServer } from "./tmux.ts"
import { waitFor } from "./wait.ts"

/** A person in tmux with the plugin loaded: their server, and their terminal, which is a tmux of its own. */
export interface Operator {
  inner: TmuxServer
  /** What the person sees: popups and the status line too. */
  outer: TmuxServer
  /** Start an agent in the pane; resolves with its bottle's slug once it runs. */
  start(agent: string): Promise<string>
  /** A global option of the server's, "" when it is not set. */
  option(name: string): Promise<string>
  /** Another terminal on the same server. */
  attach(): Promise<TmuxServer>
  close(): Promise<void>
}

/** `options`: what the person has set before the plugin loads. */
export async function sitDown(
  place: Place,
  options: Readonly<Record<string, string>> = {},
  env: Record<string, string> = {},
): Promise<Operator> {
  const bin = placeBinary(place)
  const inner = await startTmux(["sh", "-i"], {
    cwd: place.work,
    rows: 30,
    cols: 100,
    env: { ...place.env, PS1: "ready> ", ENV: "", ...env },
  })
  const terminals: TmuxServer[] = []
  const attach = async () => {
    const argv = ["env", "-u", "TMUX", "tmux", "-S", inner.socket, "attach"]
    const terminal = await startTmux(argv, { rows: 31, cols: 100, env: place.env })
    terminals.push(terminal)
    await terminal.see("[test]")
    return terminal
  }
  await inner.tmux("set-option", "-g", "status-right", "#{bottle_status}|")
  await inner.tmux("set-option", "-g", "status-left", "[test] ")
  // Keys of a test come as fast as a paste, for which tmux runs no bindings.
  await inner.tmux("set-option", "-g", "assume-paste-time", "0")
  await inner.tmux("set-option", "-g", "@bottle-bin", bin)
  for (const [name, value] of Object.entries(options)) await inner.tmux("set-option", "-g", name, value)
  const loaded = await place.bottle(["tmux", "load"], { env: { ...place.env, TMUX: `${inner.socket},1,0` } })
  if (loaded.code !== 0) throw new Error(loaded.stderr)
  const operator: Operator = {
    inner,
    outer: await attach(),
    attach,
    async start(agent) {
      const before = new Set(place.states())
      await inner.see("ready>")
      await inner.type(`${bin} start ${agent} --yes -- sh -c 'echo the agent; cat'`)
      await inner.keys("Enter")
      await inner.see(/^the agent/m)
      return waitFor("its slug", () => place.states().find((slug) => !before.has(slug)))
    },
    option: async (name) => (await inner.tmux("show-options", "-gqv", name)).trim(),
    async close() {
      for (const terminal of terminals) await terminal.stop()
      await inner.stop()
    },
  }
  return operator
}

/** What the agent in a bottle asks for, as its tool would; resolves with what the tool answers, which may be late. */
export async function ask(place: Place, slug: string, given: Record<string, unknown>, tool = "egress-block") {
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: given } }
  const header = ["-H", "content-type: application/json", "-H", "accept: application/json, text/event-stream"]
  const post = ["curl", "-sS", "-m", "600", "--noproxy", "*", ...header, "-d", JSON.stringify(call)]
  const argv = ["exec", slug, "--", ...post, "http://127.0.0.1:9100/mcp"]
  return (await place.bottle(argv, { timeout: 600_000 })).stdout
}
