import type { Identity } from "./identity.ts"

/**
 * Started by root, a boundary is made by an unprivileged user (SECURITY 1), who cannot reach what lies in root's own
 * folders. So root first builds a small room of its own, with every source of the boundary in it under a name that
 * this user can reach, changes to the user there, and only then builds the boundary itself.
 */

const stage = "/stage"
/** In the room as on the host, at one mount each: what any user may read there, this one may read too. */
const unmoved = ["/usr", "/etc", "/opt"]

export interface Staging {
  /** Arguments of the outer bubblewrap. */
  outer: string[]
  /** Where the inner one finds a source. */
  sourceOf(path: string): string
}

/** The room for these sources. `writable` decides which of them the boundary may write through. */
export function stagingFor(
  sources: readonly string[],
  isWritable: (path: string) => boolean,
  roots: readonly string[],
): Staging {
  const rootOf = (path: string) =>
    isWritable(path) ? undefined : unmoved.find((root) => path === root || path.startsWith(`${root}/`))
  const moved = sources.filter((path) => rootOf(path) === undefined)
  const kept = new Set(sources.map(rootOf).filter((root) => root !== undefined && root !== "/usr"))
  const placeOf = new Map(moved.map((path, index) => [path, `${stage}/${index}`]))
  return {
    outer: [
      ...roots,
      ...[...kept].flatMap((root) => ["--ro-bind", root ?? "", root ?? ""]),
      // Not a new one: bubblewrap would cover parts of it, and then the kernel refuses another to the user.
      ...["--dev-bind", "/proc", "/proc"],
      ...["--dev-bind", "/dev", "/dev"],
      ...["--perms", "0755", "--dir", stage, "--dir", "/tmp"],
      ...[...placeOf].flatMap(([path, place]) => [isWritable(path) ? "--bind" : "--ro-bind", path, place]),
    ],
    sourceOf: (path) => placeOf.get(path) ?? path,
  }
}

/** Become `identity` for good: no group, no capability to gain, no set-id program that could change it back. */
export function becoming(setpriv: string, identity: Identity): string[] {
  return [
    setpriv,
    ...["--reuid", String(identity.uid), "--regid", String(identity.gid), "--clear-groups"],
    ...["--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--"],
  ]
}
