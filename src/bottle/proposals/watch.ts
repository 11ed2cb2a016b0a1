import { type FSWatcher, mkdirSync, watch } from "node:fs"
import { join } from "node:path"
import type { Paths } from "../../lib/paths.ts"
import {
  type Flood,
  namesIn,
  queueSlugs,
  readFlood,
  readOpen,
  readResponse,
  type StoredResponse,
} from "../../proposals/queue/files.ts"
import type { Proposal } from "../../proposals/types.ts"

export type WatchEvent =
  | { event: "open"; proposal: Proposal }
  | { event: "decided"; slug: string; response: StoredResponse }
  /** Its agent asks for more than it may; said once a flood. */
  | { event: "flood"; slug: string; flood: Flood }

/** How often everything is looked at, in ms, where nobody tells of a change. */
const rescanEvery = 2_000

/**
 * What is open, then one event for each proposal that comes and each that is decided, until `signal`. A change on disk
 * only says that there is something to look for; a slow look stands behind it where such news is not given.
 */
export async function* watchProposals(
  paths: Paths,
  slug: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  mkdirSync(paths.queue, { recursive: true, mode: 0o700 })
  let wake = () => {}
  const stop = startWatching(paths.queue, () => wake())
  const open = new Map<string, string>()
  const floods = new Map<string, string>()
  signal.addEventListener("abort", () => wake())
  try {
    while (!signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      // Before looking, so that a change while looking is looked for again.
      wake = resolve
      yield* look(paths, slug, open)
      yield* lookForFloods(paths, slug, floods)
      const timer = setTimeout(resolve, rescanEvery)
      await promise
      clearTimeout(timer)
    }
  } finally {
    stop()
  }
}

function* look(paths: Paths, slug: string | undefined, open: Map<string, string>): Generator<WatchEvent> {
  const here = new Set<string>()
  for (const one of slug === undefined ? queueSlugs(paths.queue) : [slug]) {
    for (const proposal of readOpen(join(paths.queue, one), one).proposals) {
      here.add(proposal.id)
      if (open.has(proposal.id)) continue
      open.set(proposal.id, one)
      yield { event: "open", proposal }
    }
  }
  for (const [id, of] of open) {
    if (here.has(id)) continue
    open.delete(id)
    const dir = join(paths.queue, of)
    const read = [dir, join(dir, "archive")].map((each) => readResponse(each, id)).find(({ kind }) => kind === "read")
    if (read?.kind === "read") yield { event: "decided", slug: of, response: read.value }
  }
}

function* lookForFloods(paths: Paths, slug: string | undefined, said: Map<string, string>): Generator<WatchEvent> {
  for (const one of slug === undefined ? queueSlugs(paths.queue) : [slug]) {
    const flood = readFlood(join(paths.queue, one))
    if (flood === undefined || said.get(one) === flood.at) continue
    said.set(one, flood.at)
    yield { event: "flood", slug: one, flood }
  }
}

/** Watch every bottle's queue, not its archive; new queues are found as they come. */
function startWatching(root: string, changed: () => void): () => void {
  const watchers = new Map<string, FSWatcher>()
  const add = (path: string, on: () => void) => {
    if (watchers.has(path)) return
    try {
      const watcher = watch(path, on)
      watcher.on("error", () => {
        watcher.close()
        watchers.delete(path)
      })
      watchers.set(path, watcher)
    } catch {
      // The slow look finds what is in it.
    }
  }
  const addQueues = () => {
    for (const slug of namesIn(root)) add(join(root, slug), changed)
    changed()
  }
  add(root, addQueues)
  addQueues()
  return () => {
    for (const watcher of watchers.values()) watcher.close()
  }
}
