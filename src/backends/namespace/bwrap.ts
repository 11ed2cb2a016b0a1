import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Boundary, bwrapArguments, type Part, sourcesOf } from "./boundary.ts"
import { programParts } from "./host-system.ts"
import type { Identity } from "./identity.ts"
import { becoming, stagingFor } from "./staging.ts"

/** Programs that the backend needs, by absolute path. */
export interface Tools {
  bwrap: string
  /** Needed only when root starts. */
  setpriv: string
}

export interface BoundaryOrder {
  boundary: Boundary
  tools: Tools
  /** Root's boundaries run as this user; undefined: as ourselves. */
  become: Identity | undefined
  /** A filter for everything inside, or none. */
  seccomp: Uint8Array | undefined
  /** Value of `markerVariable` in the environment of bubblewrap's own processes. */
  marker: string
  /** A private directory for a moment's files. */
  scratch: string
  /** Mask of new files: what the sidecars create must be usable by the agent's other user. */
  umask?: number
  stdin: "ignore" | "pipe"
  stdout: "ignore" | "pipe" | number
  stderr: "pipe" | number
  env?: Readonly<Record<string, string>>
}

export const markerVariable = "BOT_BOTTLE_BOUNDARY"

export interface StartedBoundary {
  /** bubblewrap's monitor: our child, ends after the boundary. */
  monitor: Bun.Subprocess
  /** First process of the boundary in the host's numbering; undefined when it could not be made. */
  pid: Promise<number | undefined>
}

/**
 * Start bubblewrap for a boundary. All arguments travel in a file descriptor, so that no process list, inside or out,
 * shows the host's paths; the environment is empty but for the marker. It survives this process unless told otherwise.
 */
export function startBoundary(order: BoundaryOrder): StartedBoundary {
  const fds: number[] = []
  const firstFd = 3
  const pass = (bytes: string | Uint8Array): string => {
    fds.push(inlineFile(join(order.scratch, `arguments-${fds.length}`), bytes))
    return String(firstFd + fds.length - 1)
  }
  try {
    const argv = commandFor(order, pass, String(firstFd))
    const before = order.umask === undefined ? undefined : process.umask(order.umask)
    try {
      const monitor = Bun.spawn(argv, {
        cwd: "/",
        env: { [markerVariable]: order.marker },
        stdio: [order.stdin, order.stdout, order.stderr, ...fds, "pipe"],
        detached: true,
      })
      return { monitor, pid: readChildPid(monitor.stdio[firstFd + fds.length]) }
    } finally {
      if (before !== undefined) process.umask(before)
    }
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}

/** The command line: bubblewrap itself, or for root the room around it. */
function commandFor(order: BoundaryOrder, pass: (bytes: string | Uint8Array) => string, firstFd: string): string[] {
  const { boundary, tools, become } = order
  const staging =
    become === undefined ? undefined : stagingFor(sourcesOf(boundary.parts), writableIn(boundary.parts), outerRoots())
  const outerFd = staging === undefined ? undefined : pass(joined(staging.outer))
  const inner = pass(joined(bwrapArguments(boundary, staging?.sourceOf ?? ((path) => path))))
  const seccomp = order.seccomp === undefined ? [] : ["--seccomp", pass(order.seccomp)]
  const info = String(Number(seccomp[1] ?? inner) + 1)
  const command = [tools.bwrap, "--args", inner, ...seccomp, "--info-fd", info, "--", ...boundary.argv]
  if (become === undefined || outerFd === undefined) return command
  if (outerFd !== firstFd) throw new Error("file descriptors out of order")
  const dying = boundary.dieWithParent ? ["--die-with-parent"] : []
  return [tools.bwrap, ...dying, "--args", outerFd, "--", ...becoming(tools.setpriv, become), ...command]
}

const joined = (args: readonly string[]): string => args.map((arg) => `${arg}\0`).join("")

function writableIn(parts: readonly Part[]): (path: string) => boolean {
  const writable = new Set(parts.flatMap((part) => (part.kind === "bind" && !part.readonly ? [part.source] : [])))
  return (path) => writable.has(path)
}

/** Where the programs lie that start in root's room: setpriv, and bubblewrap once more. */
const programPlaces = /^\/(usr|s?bin|lib\w*|nix\/store|gnu\/store)$/

function outerRoots(): string[] {
  return programParts().flatMap((part) => {
    if (part.kind === "symlink" && programPlaces.test(part.target)) return ["--symlink", part.to, part.target]
    if (part.kind === "bind" && programPlaces.test(part.target)) return ["--ro-bind", part.source, part.target]
    return []
  })
}

/** A descriptor that reads these bytes; the file has no name any more. */
function inlineFile(path: string, bytes: string | Uint8Array): number {
  writeFileSync(path, bytes, { mode: 0o600 })
  const fd = openSync(path, "r")
  unlinkSync(path)
  return fd
}

/** bubblewrap tells the first process of the boundary as soon as it has made it. */
async function readChildPid(fd: unknown): Promise<number | undefined> {
  if (typeof fd !== "number") return undefined
  let text = ""
  try {
    for await (const bytes of Bun.file(fd).stream()) text += Buffer.from(bytes).toString("utf8")
    const info: unknown = JSON.parse(text)
    const pid = typeof info === "object" && info !== null && "child-pid" in info ? info["child-pid"] : undefined
    return typeof pid === "number" && pid > 1 ? pid : undefined
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

/** This machine's user map, for `identitiesFor`. */
export function readUidMap(): string {
  return readFileSync("/proc/self/uid_map", "utf8")
}
