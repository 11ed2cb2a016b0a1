import { tmuxArguments } from "./escape.ts"

/** `late`: it had not answered yet, as a popup does that is open; the server goes on with what it was told. */
export type TmuxAnswer = { ok: true; text: string } | { ok: false; message: string; late: boolean }

/** One tmux server, spoken to by argv alone: no shell ever reads what is passed. */
export interface Tmux {
  /** Path of the server's socket; undefined: the one tmux itself would take. */
  readonly socket: string | undefined
  /**
   * Run commands in one call, each a list of words. What tmux refuses is a value, not an exception: a tmux that fails
   * must never take a bottle with it.
   */
  run(...commands: readonly (readonly string[])[]): Promise<TmuxAnswer>
}

/** No server listens there any more; a tmux that cannot be run says nothing about that. */
export function isGone(answer: TmuxAnswer): boolean {
  const gone = /^(?:no server running|error connecting to .*\((?:No such file|Connection refused)|server exited)/
  return !answer.ok && gone.test(answer.message)
}

/** Longest wait for an answer, in ms: a server that hangs hangs alone. */
const patience = 5_000

/** A server by its socket (`$TMUX` up to the first comma), else the default one. */
export function openTmux(socket: string | undefined, env: Readonly<Record<string, string | undefined>>): Tmux {
  const program = Bun.which("tmux", { PATH: env.PATH ?? "" })
  return {
    socket,
    async run(...commands) {
      if (program === null) return { ok: false, message: "tmux is not installed", late: false }
      const argv = [program, "-u", ...(socket === undefined ? [] : ["-S", socket]), ...tmuxArguments(commands)]
      const { TMUX: _tmux, TMUX_PANE: _pane, ...rest } = env
      const child = Bun.spawn(argv, {
        env: socket === undefined ? env : rest,
        stdio: ["ignore", "pipe", "pipe"],
        timeout: patience,
      })
      const [text, message, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ])
      if (code === 0) return { ok: true, text }
      return { ok: false, message: message.trim() || `tmux exited with ${code}`, late: child.signalCode !== null }
    },
  }
}

/** The server that this process runs in; undefined outside tmux. */
export function currentSocket(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const socket = env.TMUX?.split(",")[0]
  return socket === undefined || socket === "" ? undefined : socket
}
