import { readdirSync, readFileSync } from "node:fs"
import { type Place, placeBinary } from "../place.ts"
import { waitFor } from "../wait.ts"
import { type BarePty, openPty } from "./bare-pty.ts"

/** An operator's shell on a bare terminal, with `bottle` on its PATH. */
export interface OperatorShell extends BarePty {
  /** Type one command and wait until the shell is ready for the next one. */
  run(command: string, limit?: number): Promise<string>
  /** Type one command and leave it running. */
  begin(command: string): void
  /** Wait for the prompt after what was begun; returns what the terminal got meanwhile. */
  ready(limit?: number): Promise<string>
  leave(): Promise<void>
}

const prompt = "ready> "

/** A plain shell that draws nothing by itself, so that all that reaches the terminal comes from `bottle`. */
export async function openShell(place: Place): Promise<OperatorShell> {
  const env = {
    ...place.env,
    PATH: `${placeBinary(place).replace(/\/bottle$/, "")}:${place.env.PATH}`,
    PS1: prompt,
    ENV: "",
  }
  const pty = openPty(place.as(["sh", "-i"]), { env, cwd: place.work })
  let from = 0
  const ready = async (limit = 30_000) => {
    await waitFor("the shell's prompt", () => pty.terminal.text.slice(from).endsWith(prompt), limit).catch((error) => {
      throw new Error(`${error.message}; the terminal got:\n${JSON.stringify(pty.terminal.text.slice(-3000))}`)
    })
    return pty.terminal.text.slice(from)
  }
  const begin = (command: string) => {
    from = pty.terminal.text.length
    pty.type(`${command}\n`)
  }
  await ready()
  return {
    ...pty,
    begin,
    ready,
    run(command, limit) {
      begin(command)
      return ready(limit)
    },
    async leave() {
      pty.type("exit\n")
      await Promise.race([pty.exited, Bun.sleep(2000)])
      pty.close()
    },
  }
}

/** Pids of `bottle` processes whose arguments hold all these words. */
export function findBottle(place: Place, ...words: string[]): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
        const isOurs = argv[0] === placeBinary(place) || argv[0] === "bottle"
        return isOurs && words.every((word) => argv.includes(word))
      } catch {
        return false
      }
    })
    .map(Number)
}

/** A bottle that runs until it is stopped, begun without a terminal; resolves with its slug. */
export async function startInBackground(place: Place, script = "exec sleep 1000"): Promise<string> {
  const before = new Set(place.states())
  void place.bottle(["start", "--headless", "--cwd", "--bottle", "dev", "--", "sh", "-c", script], { timeout: 300_000 })
  const slug = await waitFor("a new bottle", () => place.states().find((name) => !before.has(name)))
  await waitFor(
    `${slug} to run`,
    async () => {
      const { stdout } = await place.bottle(["list", "--json"])
      const listed = JSON.parse(stdout) as { active: { slug: string; state: string }[] }
      return listed.active.some((row) => row.slug === slug && row.state === "running")
    },
    300_000,
  )
  return slug
}
