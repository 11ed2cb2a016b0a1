/** What a boundary is made of, in the order in which it is built; turned into bubblewrap's arguments by `bwrap.ts`. */
export type Part =
  | { kind: "bind"; source: string; target: string; readonly: boolean }
  | { kind: "tmpfs"; target: string; mode: number; size?: number }
  | { kind: "dir"; target: string; mode: number }
  | { kind: "symlink"; to: string; target: string }
  | { kind: "proc" }
  | { kind: "dev" }
  | { kind: "remount-readonly"; target: string }

export interface Boundary {
  parts: readonly Part[]
  /** Only the sidecars share the host's network. */
  shareNetwork: boolean
  hostname: string
  cwd: string
  env: Readonly<Record<string, string>>
  argv: readonly string[]
  /** Ends with the process that started it. */
  dieWithParent: boolean
}

export const bind = (source: string, target: string = source): Part => ({
  kind: "bind",
  source,
  target,
  readonly: true,
})
export const bindWritable = (source: string, target: string): Part => ({
  kind: "bind",
  source,
  target,
  readonly: false,
})

/** User and group inside. Both sides look the same from within. */
export const insideId = 1000

/** bubblewrap's own arguments for a boundary, one list, to be handed over in a file descriptor. */
export function bwrapArguments(boundary: Boundary, sourceOf: (path: string) => string): string[] {
  return [
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-uts",
    "--unshare-cgroup-try",
    ...(boundary.shareNetwork ? [] : ["--unshare-net"]),
    ...["--uid", String(insideId), "--gid", String(insideId)],
    ...["--hostname", boundary.hostname],
    "--new-session",
    ...(boundary.dieWithParent ? ["--die-with-parent"] : []),
    ...boundary.parts.flatMap((part) => partArguments(part, sourceOf)),
    ...["--chdir", boundary.cwd],
    "--clearenv",
    ...Object.entries(boundary.env).flatMap(([name, value]) => ["--setenv", name, value]),
  ]
}

function partArguments(part: Part, sourceOf: (path: string) => string): string[] {
  switch (part.kind) {
    case "bind":
      return [part.readonly ? "--ro-bind" : "--bind", sourceOf(part.source), part.target]
    case "tmpfs":
      return [
        ...["--perms", part.mode.toString(8)],
        ...(part.size === undefined ? [] : ["--size", String(part.size)]),
        ...["--tmpfs", part.target],
      ]
    case "dir":
      return ["--perms", part.mode.toString(8), "--dir", part.target]
    case "symlink":
      return ["--symlink", part.to, part.target]
    case "proc":
      return ["--proc", "/proc"]
    case "dev":
      // bubblewrap's /dev is one writable tmpfs; shared memory gets its own, and the rest becomes read-only.
      return [
        ...["--dev", "/dev"],
        ...["--perms", "1777", "--size", String(sharedMemoryBytes), "--tmpfs", "/dev/shm"],
        ...["--remount-ro", "/dev"],
      ]
    case "remount-readonly":
      return ["--remount-ro", part.target]
  }
}

const sharedMemoryBytes = 1024 ** 3

/** Sources on the host, each once. */
export function sourcesOf(parts: readonly Part[]): string[] {
  return [...new Set(parts.flatMap((part) => (part.kind === "bind" ? [part.source] : [])))]
}
