import { lstatSync, opendirSync, statfsSync } from "node:fs"
import { join } from "node:path"
import { LineReader } from "../src/lib/lines.ts"
import type { MeasureAnswer } from "./control.ts"

/** A tree of so many entries takes seconds to walk, and its names alone fill a disk: it counts as not measured. */
const mostEntries = 5_000_000
const blockBytes = 512

/**
 * `bottle sidecar --measure PATH…`: measures trees of the agent's, as the agent's user, from a container in which they
 * cannot be written and the agent has no process. Nothing in them is opened but directories, and no link is followed.
 */
export async function runMeasure(trees: readonly string[]): Promise<void> {
  const [first] = trees
  if (first === undefined) throw new Error("sidecar: --measure takes paths")
  const reader = new LineReader()
  for await (const chunk of Bun.stdin.stream()) {
    for (const line of reader.push(chunk)) {
      const { bavail, bsize } = statfsSync(first)
      const answer: MeasureAnswer = { free: bavail * bsize, ...(line === "measure" ? measure(trees) : {}) }
      process.stdout.write(`${JSON.stringify(answer)}\n`)
    }
  }
}

export function measure(trees: readonly string[]): { bytes: number; complete: boolean } {
  const walk = { bytes: 0, complete: true, entries: 0, linked: new Set<string>() }
  for (const tree of trees) {
    const device = lstatSync(tree).dev
    const waiting = [tree]
    for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
      for (const path of entriesOf(dir, walk)) {
        const look = attempt(() => lstatSync(path), walk)
        if (look === undefined || look.dev !== device) continue
        if (look.isDirectory()) waiting.push(path)
        if (!isCounted(look, walk.linked)) walk.bytes += look.blocks * blockBytes
        walk.entries += 1
      }
      if (walk.entries > mostEntries) return { bytes: walk.bytes, complete: false }
    }
  }
  return { bytes: walk.bytes, complete: walk.complete }
}

function isCounted(look: { nlink: number; ino: number; dev: number; isDirectory(): boolean }, seen: Set<string>) {
  if (look.nlink < 2 || look.isDirectory()) return false
  const key = `${look.dev}:${look.ino}`
  const isSeen = seen.has(key)
  seen.add(key)
  return isSeen
}

/** Paths of a directory, read while they are asked for: an agent may make one of millions. */
function* entriesOf(dir: string, walk: { complete: boolean }): Generator<string> {
  const handle = attempt(() => opendirSync(dir), walk)
  if (handle === undefined) return
  try {
    for (;;) {
      const entry = attempt(() => handle.readSync(), walk)
      if (entry === undefined || entry === null) return
      yield join(dir, entry.name)
    }
  } finally {
    handle.closeSync()
  }
}

/** What vanished meanwhile takes no space; anything else that fails leaves the measuring incomplete. */
function attempt<T>(look: () => T, walk: { complete: boolean }): T | undefined {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") walk.complete = false
    return undefined
  }
}
