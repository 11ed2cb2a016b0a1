import { mkdirSync } from "node:fs"
import { dirname } from "node:path"

/** Copy a folder as hard links where the file system allows it: agent CLIs are hundreds of megabytes. */
export function linkTree(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  const copy = (flags: string) => Bun.spawnSync(["cp", flags, from, to], { stdin: "ignore", stderr: "pipe" })
  if (copy("-al").exitCode === 0) return
  const second = copy("-a")
  if (second.exitCode !== 0) throw new Error(`cp ${from}: ${second.stderr.toString()}`)
}
