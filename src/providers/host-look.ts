import { spawnSync } from "node:child_process"
import { accessSync, closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs"
import { delimiter, isAbsolute, join } from "node:path"
import type { HostLook } from "./provider.ts"

const worldWritable = 0o002

/**
 * The real look at the host. A program is searched on `path` (the caller's PATH) in directories that are absolute
 * and that only their owner and group may write: from any other place somebody else, a checked-out repository
 * for one, could choose what runs with the agent's name.
 */
export function hostLook(path: string): HostLook {
  return {
    which: (name) => findPrograms(name, path.split(delimiter)).next().value,
    whichAll: (name) => [...new Set(findPrograms(name, path.split(delimiter)))],
    askVersion,
    exists: (file) => statSync(file, { throwIfNoEntry: false }) !== undefined,
    readStart: readFileStart,
  }
}

function* findPrograms(name: string, directories: readonly string[]): Generator<string, undefined> {
  if (name === "" || name.includes("/")) return
  for (const directory of directories) {
    if (!isAbsolute(directory) || !isTrusted(directory)) continue
    const found = resolveProgram(join(directory, name))
    if (found !== undefined) yield found
  }
}

/** Longest a program may take to say its version, in ms. */
const versionPatience = 5_000

/** Run with an empty environment: what the caller's NODE_OPTIONS load is no part of the answer. */
function askVersion(program: string): string | undefined {
  const { stdout } = spawnSync(program, ["--version"], {
    env: {},
    cwd: "/",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: versionPatience,
    maxBuffer: 64 * 1024,
    encoding: "utf8",
  })
  return /\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0]
}

function resolveProgram(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK)
    const resolved = realpathSync(path)
    return statSync(resolved).isFile() && isTrusted(resolved) ? resolved : undefined
  } catch {
    return undefined
  }
}

function isTrusted(path: string): boolean {
  try {
    return (statSync(path).mode & worldWritable) === 0
  } catch {
    return false
  }
}

function readFileStart(path: string, bytes: number): Uint8Array | undefined {
  let file: number | undefined
  try {
    // Non-blocking, so that a named pipe in place of a file cannot hold up the launch.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!fstatSync(file).isFile()) return undefined
    const start = new Uint8Array(bytes)
    return start.subarray(0, readSync(file, start, 0, bytes, 0))
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
