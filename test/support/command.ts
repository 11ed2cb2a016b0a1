import { join } from "node:path"

export const root = join(import.meta.dir, "..", "..")
/** The compiled binary under test, built by `npm test` or `npm run build`. */
export const binary = join(root, "dist", "bottle")

export interface RunOptions {
  /** The whole environment; default: PATH and HOME of this process. */
  env?: Record<string, string>
  cwd?: string
  /** Given on stdin, which is closed otherwise. */
  input?: string
  /** Milliseconds after which it is killed; default 120,000. */
  timeout?: number
}

export interface RunResult {
  code: number
  stdout: string
  stderr: string
}

/** Run a program to its end and keep what it printed. A killed one has code 128 and the signal. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = Bun.spawn([...argv], {
    cwd: options.cwd ?? root,
    env: options.env ?? basicEnv(),
    stdin: options.input === undefined ? "ignore" : new TextEncoder().encode(options.input),
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.timeout ?? 240_000,
    killSignal: "SIGKILL",
  })
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { code, stdout, stderr }
}

/** Run the compiled `bottle`. */
export function bottle(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run([binary, ...args], options)
}

/** A small environment, and what is given. */
export function basicEnv(more: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: process.env.HOME ?? "/", ...more }
}
