import { type FSWatcher, mkdirSync, statSync, watch } from "node:fs"
import { join } from "node:path"
import { isSlug } from "../../lib/slug.ts"
import { namesIn } from "../../proposals/queue/files.ts"

/** How often folders are looked at where nobody tells of a change (FACTS 9), in ms. */
const rescanEvery = 2_000
/** Changes that come together are told together, in ms. */
const together = 15

/**
 * Tell of every bottle's folder below `root` that changes, comes or goes: all of them first. Only names and times of
 * our own folders are read, never what an agent writes.
 */
export function watchFolders(root: string, changed: (slugs: readonly string[]) => void): () => void {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const watchers = new Map<string, FSWatcher>()
  const times = new Map<string, number>()
  const dirty = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const tell = (slug: string) => {
    dirty.add(slug)
    timer ??= setTimeout(() => {
      timer = undefined
      const slugs = [...dirty]
      dirty.clear()
      changed(slugs)
    }, together)
  }
  const rescan = () => {
    const slugs = namesIn(root).filter(isSlug)
    for (const slug of slugs) {
      const time = timeOf(join(root, slug))
      if (times.get(slug) !== time) tell(slug)
      times.set(slug, time)
      watchOne(slug)
    }
    const here = new Set(slugs)
    for (const slug of times.keys()) if (!here.has(slug)) forget(slug)
  }
  const watchOne = (slug: string) => {
    if (watchers.has(slug)) return
    const watcher = tryToWatch(join(root, slug), () => tell(slug))
    if (watcher === undefined) return
    watchers.set(slug, watcher)
    watcher.on("error", () => forget(slug))
  }
  const forget = (slug: string) => {
    watchers.get(slug)?.close()
    watchers.delete(slug)
    times.delete(slug)
    tell(slug)
  }
  const top = tryToWatch(root, rescan)
  top?.on("error", () => undefined)
  const slow = setInterval(rescan, rescanEvery)
  rescan()
  return () => {
    clearInterval(slow)
    clearTimeout(timer)
    top?.close()
    for (const watcher of watchers.values()) watcher.close()
  }
}

function tryToWatch(path: string, told: () => void): FSWatcher | undefined {
  try {
    return watch(path, told)
  } catch {
    // The slow look finds what is in it.
    return undefined
  }
}

function timeOf(path: string): number {
  try {
    return statSync(path).mtimeMs
  } catch {
    return 0
  }
}
