import { afterAll } from "bun:test"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { binary, type RunOptions, type RunResult, run } from "./command.ts"

/** Who runs `bottle` in a test. Started by root, the namespace backend becomes another user first: both ways are tested. */
export type Who = "root" | "user"
const ordinary = 12_345

/** The ways this machine can test: an ordinary user always, root where the tests have it. */
export const whos: readonly Who[] = process.getuid?.() === 0 ? ["user", "root"] : ["user"]

/** A person's machine for one test file: a HOME with a fresh BOT_BOTTLE_HOME, a working directory, the binary. */
export interface Place {
  who: Who
  dir: string
  home: string
  botHome: string
  work: string
  env: Record<string, string>
  /** Run `bottle` as this person. */
  bottle(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** The argv that runs something as this person. */
  as(argv: readonly string[]): string[]
  writeBottle(name: string, frontmatter: string): void
  writeAgent(name: string, frontmatter: string, prompt?: string): void
  /** A file in the working directory, readable for everyone: root's bottles run as somebody else. */
  writeWork(name: string, text: string): void
  /** Slugs that have state. */
  states(): string[]
  /** Everything under BOT_BOTTLE_HOME, sorted: what an aborted start must leave as it was. */
  listing(): string[]
}

/** Make a place; what it leaves is removed after the file's last test. */
export function makePlace(who: Who, more: Record<string, string> = {}): Place {
  const dir = mkdtempSync(join(tmpdir(), "bp-"))
  const asUser = who === "user" && process.getuid?.() === 0
  const bin = join(dir, "bottle")
  copyFileSync(binary, bin)
  chmodSync(dir, 0o755)
  chmodSync(bin, 0o755)
  const home = join(dir, "home")
  const botHome = join(home, ".bot-bottle")
  const work = join(dir, "work")
  const runtime = join(dir, "run")
  const own = (path: string) => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    if (asUser) chownSync(path, ordinary, ordinary)
  }
  for (const path of [home, botHome, join(botHome, "agents"), join(botHome, "bottles"), work, runtime]) own(path)
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    ...more,
  }
  const as = (argv: readonly string[]) => {
    const to = ["setpriv", `--reuid=${ordinary}`, `--regid=${ordinary}`, "--clear-groups", "--"]
    return asUser ? [...to, ...argv] : [...argv]
  }
  const write = (folder: string, name: string, text: string) => {
    const path = join(botHome, folder, `${name}.md`)
    writeFileSync(path, text)
    if (asUser) chownSync(path, ordinary, ordinary)
  }
  const place: Place = {
    who,
    dir,
    home,
    botHome,
    work,
    env,
    as,
    bottle: (args, options = {}) => run(as([bin, ...args]), { cwd: work, env, ...options }),
    writeBottle: (name, frontmatter) => write("bottles", name, `---\n${frontmatter.trim()}\n---\n`),
    writeAgent: (name, frontmatter, prompt = "") =>
      write("agents", name, `---\n${frontmatter.trim()}\n---\n${prompt}\n`),
    writeWork: (name, text) => {
      const path = join(work, name)
      writeFileSync(path, text)
      chmodSync(work, 0o755)
      if (asUser) chownSync(path, ordinary, ordinary)
    },
    listing: () => readdirSync(botHome, { recursive: true }).map(String).sort(),
    states: () => (existsSync(join(botHome, "state")) ? readdirSync(join(botHome, "state")) : []),
  }
  afterAll(async () => {
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    rmSync(dir, { recursive: true, force: true })
  })
  return place
}

/** The compiled binary inside a place, for argv that is not run by `Place.bottle`. */
export const placeBinary = (place: Place): string => join(place.dir, "bottle")
