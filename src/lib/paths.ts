import { createHash } from "node:crypto"
import { lstatSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { BottleError } from "./errors.ts"
import { claimPrivateDir, ensurePrivateDir } from "./private-dir.ts"

/** Where everything is kept (DESIGN §7). Strings only: nothing is created by asking. */
export interface Paths {
  /** `~/.bot-bottle`, or `BOT_BOTTLE_HOME`. */
  readonly home: string
  readonly agents: string
  readonly bottles: string
  readonly contrib: string
  readonly settings: string
  readonly audit: string
  readonly keys: string
  readonly logs: string
  readonly queue: string
  readonly stateRoot: string
  /** Sockets and pids of this home's bottles; short, 0700, outside every mount that an agent sees. */
  readonly runtimeRoot: string
  state(slug: string): string
  /** Throws `BottleError` (exit 4) when a socket in it could not be bound. Made by `openRuntimeDir`. */
  runtime(slug: string): string
}

/** The account's own home, for an environment without `HOME`; an account that is in no list has none. */
function accountHome(): string {
  try {
    return homedir()
  } catch (cause) {
    throw new BottleError("HOME is not set, and this account has no home", {
      code: "no-home",
      exit: "missingPart",
      hint: "set HOME, or BOT_BOTTLE_HOME to where bottle may keep its files",
      cause,
    })
  }
}

/** What `createPaths` looks at besides the environment. */
export interface PathsHost {
  uid: number | undefined
  /** Is this an existing directory of ours, not a link? */
  isOwnDir(path: string): boolean
}

/** A Unix socket's path may hold 107 bytes on Linux and 103 on macOS (SECURITY 7). */
const socketPathLimit = 100
/** The longest name below `runtime(slug)`. */
const longestSocket = "net/supervise.sock"

const realHost: PathsHost = {
  uid: process.getuid?.(),
  isOwnDir(path) {
    try {
      const look = lstatSync(path)
      return look.isDirectory() && (process.getuid === undefined || look.uid === process.getuid())
    } catch {
      return false
    }
  },
}

/**
 * Every path of this installation, from `BOT_BOTTLE_HOME`, `HOME` and `XDG_RUNTIME_DIR`. The runtime directory is
 * below the first that is ours: `$XDG_RUNTIME_DIR`, `/run/user/<uid>`, `/tmp/bot-bottle-<uid>`; two homes never share one.
 */
export function createPaths(env: Readonly<Record<string, string | undefined>>, host: PathsHost = realHost): Paths {
  const home = resolve(env.BOT_BOTTLE_HOME || join(env.HOME || accountHome(), ".bot-bottle"))
  const runtimeRoot = join(runtimeBase(env, host), createHash("sha256").update(home).digest("hex").slice(0, 6))
  return {
    home,
    agents: join(home, "agents"),
    bottles: join(home, "bottles"),
    contrib: join(home, "contrib"),
    settings: join(home, "settings.yml"),
    audit: join(home, "audit"),
    keys: join(home, "keys"),
    logs: join(home, "logs"),
    queue: join(home, "queue"),
    stateRoot: join(home, "state"),
    runtimeRoot,
    state: (slug) => join(home, "state", slug),
    runtime: (slug) => checkedRuntime(runtimeRoot, slug),
  }
}

function runtimeBase(env: Readonly<Record<string, string | undefined>>, host: PathsHost): string {
  const named = env.XDG_RUNTIME_DIR
  // A sudo that keeps the environment leaves another user's directory here.
  if (named?.startsWith("/") && host.isOwnDir(named)) return join(named, "bot-bottle")
  const usual = `/run/user/${host.uid}`
  if (host.uid !== undefined && host.isOwnDir(usual)) return join(usual, "bot-bottle")
  return `/tmp/bot-bottle-${host.uid ?? "user"}`
}

function checkedRuntime(root: string, slug: string): string {
  const dir = join(root, slug)
  const length = Buffer.byteLength(join(dir, longestSocket))
  if (length < socketPathLimit) return dir
  throw new BottleError(
    `the runtime directory is too long for a socket: ${dir} (${length} of ${socketPathLimit - 1} bytes)`,
    {
      code: "runtime-dir-too-long",
      exit: "missingPart",
      hint: "set XDG_RUNTIME_DIR to a shorter directory of your own, for example /run/user/$(id -u)",
    },
  )
}

/**
 * Make the runtime directory of one bottle, each level 0700 and checked to be ours, and return it. Throws
 * `BottleError` (exit 4) when a level is a link, belongs to somebody else or is open to others.
 */
export async function openRuntimeDir(
  paths: Paths,
  slug: string,
  uid: number | undefined = realHost.uid,
): Promise<string> {
  const dir = paths.runtime(slug)
  const base = dirname(paths.runtimeRoot)
  await mkdir(dirname(base), { recursive: true, mode: 0o700 })
  for (const level of [base, paths.runtimeRoot, dir]) await claimPrivateDir(level, uid)
  return dir
}

/** Make the state directory of one bottle (0700, with its parents) and return it. */
export async function openStateDir(paths: Paths, slug: string): Promise<string> {
  await ensurePrivateDir(paths.home)
  await ensurePrivateDir(paths.stateRoot)
  return ensurePrivateDir(paths.state(slug))
}
