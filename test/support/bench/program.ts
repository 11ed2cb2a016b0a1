import { LineReader, writeLine } from "../../../src/lib/lines.ts"

export interface ProgramOptions {
  cwd?: string
  env?: Record<string, string | undefined>
}

/** A program of a bench that speaks lines of JSON on stdin and stdout, or that is only started and stopped. */
export interface Program {
  pid: number
  /** Write one line and wait for the line that answers it. */
  ask(message: unknown): Promise<unknown>
  /** Whether it is still running. */
  alive(): boolean
  /** What it wrote to stderr so far, its last 2,000 characters. */
  words(): string
  /** Kill it, by its process id, and wait for its end. */
  stop(): Promise<void>
}

/** Start a program. Lines that `isAnswer` does not take are dropped. */
export function startProgram(
  argv: readonly string[],
  options: ProgramOptions = {},
  isAnswer: (line: unknown) => boolean = () => true,
): Program {
  const child = Bun.spawn([...argv], {
    env: options.env ?? { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/bin", HOME: "/nonexistent" },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  })
  const waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = []
  let words = ""
  void (async () => {
    const reader = new LineReader()
    for await (const chunk of child.stdout) {
      if (waiting.length === 0) continue
      for (const line of reader.push(chunk)) {
        const answer: unknown = JSON.parse(line)
        if (isAnswer(answer)) waiting.shift()?.resolve(answer)
      }
    }
  })()
  void (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stderr) words = (words + decoder.decode(chunk, { stream: true })).slice(-2000)
  })()
  void child.exited.then((code) => {
    for (const one of waiting.splice(0)) one.reject(new Error(`${argv[0]} ended with ${code}: ${words}`))
  })
  return {
    pid: child.pid,
    ask(message) {
      return new Promise((resolve, reject) => {
        if (child.exitCode !== null) return reject(new Error(`${argv[0]} ended with ${child.exitCode}: ${words}`))
        waiting.push({ resolve, reject })
        writeLine(child.stdin, message)
        child.stdin.flush()
      })
    },
    alive: () => child.exitCode === null && child.signalCode === null,
    words: () => words,
    async stop() {
      child.kill("SIGTERM")
      const timer = setTimeout(() => child.kill("SIGKILL"), 2000)
      await child.exited
      clearTimeout(timer)
    },
  }
}
