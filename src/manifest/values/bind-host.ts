import { lstatSync, readdirSync, realpathSync } from "node:fs"
import type { BindHost } from "./bind.ts"

/** This machine's file system, for `judgeBind`. What cannot be read is as if it were not there, so it is refused. */
export const realBindHost: BindHost = {
  realpath: (path) => attempt(() => realpathSync.native(path)),
  kind(path) {
    const stat = attempt(() => lstatSync(path))
    if (stat === undefined) return undefined
    if (stat.isFile()) return "file"
    if (stat.isDirectory()) return "directory"
    return stat.isSocket() ? "socket" : "other"
  },
  list: (path) => attempt(() => readdirSync(path)) ?? [],
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
