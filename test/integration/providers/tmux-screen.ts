/** A tmux server of the test's own, with one pane a session: the terminal that screens are compared on. */
export interface TmuxScreen {
  run(name: string, argv: readonly string[]): Promise<void>
  keys(name: string, ...keys: string[]): Promise<void>
  /** Every cell with its style, and the cursor and modes. */
  picture(name: string): Promise<string>
  text(name: string): Promise<string>
  ask(name: string, format: string): Promise<string>
  close(): Promise<void>
}

export function makeTmuxScreen(socket: string): TmuxScreen {
  const tmux = async (...args: string[]) => {
    const child = Bun.spawn(["tmux", "-S", socket, "-f", "/dev/null", ...args], {
      stdout: "pipe",
      stderr: "pipe",
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin", LANG: "C.UTF-8", TERM: "xterm-256color" },
    })
    return new Response(child.stdout).text()
  }
  const target = (name: string) => ["-t", `=${name}:`]
  const ask = async (name: string, format: string) =>
    (await tmux("display-message", "-p", ...target(name), format)).trim()
  const state = "#{cursor_x},#{cursor_y} visible=#{cursor_flag} alternate=#{alternate_on} mouse=#{mouse_any_flag}"
  return {
    run: async (name, argv) => void (await tmux("new-session", "-d", "-s", name, "-x", "100", "-y", "30", ...argv)),
    keys: async (name, ...keys) => void (await tmux("send-keys", ...target(name), ...keys)),
    picture: async (name) =>
      `${await tmux("capture-pane", "-p", "-e", "-N", ...target(name))}${await ask(name, state)}`,
    text: (name) => tmux("capture-pane", "-p", ...target(name)),
    ask,
    close: async () => void (await tmux("kill-server")),
  }
}

/** Look until `enough` of what was seen; throws with the last sight after `limit` milliseconds. */
export async function seeUntil<T>(look: () => Promise<T>, enough: (seen: T) => boolean, limit = 120_000): Promise<T> {
  const end = Date.now() + limit
  for (;;) {
    const seen = await look()
    if (enough(seen)) return seen
    if (Date.now() > end) throw new Error(`not seen in ${limit} ms; last: ${seen}`)
    await Bun.sleep(50)
  }
}
