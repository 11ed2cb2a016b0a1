import { Readable } from "node:stream"
import type { Shell } from "../../src/commands/_shell.ts"
import { createLog } from "../../src/lib/log.ts"
import { createPaths } from "../../src/lib/paths.ts"
import type { Terminal } from "../../src/lib/terminal.ts"
import { cancelled } from "../../src/lib/terminal.ts"

/** A shell that keeps what a command says, for tests of commands without a process. */
export interface FakeShell extends Shell {
  out: string
  err: string
}

export function fakeShell(
  home: string,
  given: { stdin?: string; tty?: boolean; answers?: (string | boolean)[] } = {},
): FakeShell {
  const stdin = Readable.from(given.stdin === undefined ? [] : [Buffer.from(given.stdin)])
  const env = { BOT_BOTTLE_HOME: home, HOME: home, PATH: process.env.PATH }
  const shell: FakeShell = {
    out: "",
    err: "",
    env,
    cwd: home,
    paths: createPaths(env),
    terminal: fakeTerminal(given.tty === true, given.answers ?? []),
    stdin: Object.assign(stdin, { isTTY: given.tty === true }) as unknown as NodeJS.ReadStream,
    print(text) {
      shell.out += `${text}\n`
    },
    printJson(value) {
      shell.out += JSON.stringify({ schemaVersion: 1, ...value })
    },
    log: createLog((text) => {
      shell.err += text
    }),
    fail: () => 1,
    scrubbed: [],
  }
  return shell
}

function fakeTerminal(interactive: boolean, answers: (string | boolean)[]): Terminal {
  const next = () => {
    const answer = answers.shift()
    if (answer === undefined) throw cancelled()
    return answer
  }
  return { interactive, askSecret: async () => String(next()), confirm: async () => next() === true }
}
