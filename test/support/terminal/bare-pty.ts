import { waitFor } from "../wait.ts"
import { GullibleTerminal } from "./gullible.ts"

/** A program on a pty whose other end is a gullible terminal: what that types by itself goes to the program. */
export interface BarePty {
  terminal: GullibleTerminal
  pid: number
  type(text: string): void
  /** Wait until the program's output holds `text`, counted from `from`. */
  see(text: string | RegExp, limit?: number): Promise<void>
  /** The terminal window is closed. */
  close(): void
  exited: Promise<number>
}

export function openPty(
  argv: readonly string[],
  options: { env: Record<string, string>; cwd?: string; cols?: number; rows?: number },
): BarePty {
  const terminal = new GullibleTerminal()
  terminal.toleratesStatus = true
  const child = Bun.spawn([...argv], {
    env: options.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    terminal: {
      cols: options.cols ?? 80,
      rows: options.rows ?? 24,
      data: (_, bytes) => terminal.write(bytes),
    },
  })
  const type = (text: string) => void child.terminal?.write(text)
  terminal.onAnswer = type
  return {
    terminal,
    pid: child.pid,
    type,
    async see(text, limit) {
      const found = () => (typeof text === "string" ? terminal.text.includes(text) : text.test(terminal.text))
      await waitFor(`the terminal to show ${text}`, found, limit).catch((error) => {
        throw new Error(`${error.message}; it got:\n${JSON.stringify(terminal.text.slice(-2000))}`)
      })
    },
    close: () => child.terminal?.close(),
    exited: child.exited,
  }
}
