import { posix } from "node:path"
import type { TreeName } from "../../../backends/backend.ts"
import { BottleError } from "../../../lib/errors.ts"
import { isSlug } from "../../../lib/slug.ts"

/** `slug:path`, or a path of this machine; `-` is standard input or output. */
export type CopyPlace =
  | { kind: "bottle"; slug: string; path: string }
  | { kind: "local"; path: string }
  | { kind: "stream" }

/** Whatever begins with a slug and a colon is in a bottle; `./a:b` is a file here. */
export function parsePlace(text: string): CopyPlace {
  if (text === "-") return { kind: "stream" }
  const colon = text.indexOf(":")
  const slug = text.slice(0, colon)
  return colon > 0 && isSlug(slug)
    ? { kind: "bottle", slug, path: text.slice(colon + 1) }
    : { kind: "local", path: text }
}

export interface InsidePath {
  tree: TreeName
  /** Below the tree, "" for all of it. */
  inner: string
}

/**
 * Where a path given for a bottle is: relative ones are below the workspace, `~/` is home. Only these two trees are
 * copied, since they are what outlives the bottle's processes. Throws `BottleError` (exit 2) for any other.
 */
export function insidePath(path: string, places: { home: string; workspace: string }): InsidePath {
  if (path.includes("\0")) throw elsewhere(path)
  const given = path === "~" || path.startsWith("~/") ? places.home + path.slice(1) : path
  const absolute = posix.resolve(places.workspace, given)
  for (const tree of ["workspace", "home"] as const) {
    if (absolute === places[tree]) return { tree, inner: "" }
    if (absolute.startsWith(`${places[tree]}/`)) return { tree, inner: absolute.slice(places[tree].length + 1) }
  }
  throw elsewhere(path)
}

function elsewhere(path: string): BottleError {
  return new BottleError(`${JSON.stringify(path)} is neither in the bottle's workspace nor in its home`, {
    code: "outside-trees",
    exit: "usage",
    hint: "copy it there first: bottle exec SLUG -- cp FILE /workspace",
  })
}
