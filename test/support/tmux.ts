import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "./command.ts"
import { waitFor } from "./wait.ts"

export interface TmuxServer {
  /** Environment for programs that shall find this server. */
  readonly socket: string
  /** Run one tmux command; rejects when it fails. Returns its output. */
  tmux(...args: string[]): Promise<string>
  /** Type keys into the pane, by tmux' names (`Enter`, `C-c`). */
  keys(...keys: string[]): Promise<void>
  /** Type text as it is. */
  type(text: string): Promise<void>
  /** What the pane shows. */
  screen(): Promise<string>
  /** Wait until the screen holds `text`; returns the screen. */
  see(text: string | RegExp, limit?: number): Promise<string>
  stop(): Promise<void>
}

/** A tmux server of the test's own, on a private socket and without any configuration, with one pane that runs `argv`. */
export async function startTmux(
  argv: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; cols?: number; rows?: number } = {},
): Promise<TmuxServer> {
  const dir = mkdtempSync(join(tmpdir(), "bottle-tmux-"))
  const socket = join(dir, "s")
  const env = { PATH: process.env.PATH ?? "", HOME: dir, TERM: "xterm-256color", LANG: "C.UTF-8", ...options.env }
  const tmux = async (...args: string[]) => {
    const result = await run(["tmux", "-f", "/dev/null", "-S", socket, ...args], { env })
    if (result.code !== 0) throw new Error(`tmux ${args[0]}: ${result.stderr.trim()}`)
    return result.stdout
  }
  const size = ["-x", String(options.cols ?? 80), "-y", String(options.rows ?? 24)]
  // One call: the option must be there before the program can end.
  const keep = ["start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";"]
  await tmux(...keep, "new-session", "-d", ...size, "-c", options.cwd ?? dir, "-s", "test", ...argv)
  const screen = () => tmux("capture-pane", "-p", "-t", "test")
  return {
    socket,
    tmux,
    screen,
    keys: async (...keys) => void (await tmux("send-keys", "-t", "test", ...keys)),
    type: async (text) => void (await tmux("send-keys", "-t", "test", "-l", text)),
    async see(text, limit) {
      let last = ""
      const found = async () => {
        last = await screen()
        return typeof text === "string" ? last.includes(text) : text.test(last)
      }
      await waitFor(`the pane to show ${text}`, found, limit).catch((error) => {
        throw new Error(`${error.message}; it shows:\n${last}`)
      })
      return last
    },
    async stop() {
      await tmux("kill-server").catch(() => undefined)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
