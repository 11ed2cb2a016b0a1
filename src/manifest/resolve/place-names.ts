import { isAbsolute, relative } from "node:path"

/** `~/x` for a path below the operator's home, else the path as it is. */
export function tilde(path: string, userHome: string): string {
  const below = relative(userHome, path)
  if (below === "") return "~"
  return below.startsWith("..") || isAbsolute(below) ? path : `~/${below}`
}
