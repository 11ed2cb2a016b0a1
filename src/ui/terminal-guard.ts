/** Puts the operator's terminal back when the process that shows a session cannot do so itself. */
export interface TerminalGuard {
  /** What would have to be written now to undo what is changed; one line of ASCII. */
  note(pending: string): void
  /** The session has ended in an orderly way: do nothing more. Resolves when the guard is gone. */
  release(): Promise<void>
}

/**
 * Waits for the end of its input. `done` as the last line: all is well. Anything else: whoever wrote was killed, so give
 * the terminal its line discipline back, end a sequence that was cut off, and undo what was noted last. In this order:
 * a terminal that looks as before takes a line as before.
 */
const script = `trap '' HUP INT TERM TTOU
last=
while IFS= read -r line; do last=$line; done
[ "$last" = done ] && exit
stty "$1" <&1
[ -z "$last" ] || printf '\\030%s' "$last"`

const env = { PATH: "/usr/bin:/bin" }

/**
 * Start a guard for the terminal that is open as `descriptor`. It is a process of its own, in a session of its own:
 * what kills this one, or its whole process group, leaves the guard. Undefined where there is no `stty`.
 */
export function guardTerminal(descriptor: number): TerminalGuard | undefined {
  try {
    // Bun takes neither 1 nor 2 as a stdin, so the shell turns the terminal round.
    const ask = ["/bin/sh", "-c", "stty -g <&1 >&2"]
    const saved = Bun.spawnSync(ask, { stdin: "ignore", stdout: descriptor, stderr: "pipe", env })
    if (saved.exitCode !== 0) return undefined
    return startGuard(descriptor, saved.stderr.toString().trim())
  } catch {
    return undefined
  }
}

function startGuard(descriptor: number, settings: string): TerminalGuard {
  const child = Bun.spawn(["/bin/sh", "-c", script, "bottle-terminal-guard", settings], {
    stdin: "pipe",
    stdout: descriptor,
    stderr: "ignore",
    detached: true,
    env,
  })
  child.unref()
  let last = ""
  const tell = (line: string) => {
    try {
      child.stdin.write(`${line}\n`)
      child.stdin.flush()
    } catch {
      // A guard that was ended is missed only if this process is killed too.
    }
  }
  return {
    note(pending) {
      if (pending === last) return
      last = pending
      tell(pending)
    },
    async release() {
      tell("done")
      await child.stdin.end()
      await child.exited
    },
  }
}
