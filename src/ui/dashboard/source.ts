import { join } from "node:path"
import { type ActiveBottle, describeBottle } from "../../bottle/registry.ts"
import type { Paths } from "../../lib/paths.ts"
import { byArrival, readOpen } from "../../proposals/queue/files.ts"
import type { Proposal } from "../../proposals/types.ts"
import type { Event } from "./state/types.ts"
import { watchFolders } from "./watch.ts"

/** How often every bottle's keeper is asked though nothing changed on disk, in ms. */
const askEvery = 20_000

/** Where the lists come from: queues and keepers, each bottle's looked at again when its folder changes. */
export interface Source {
  /** Ask the keepers again now. */
  look(): void
  stop(): void
}

export function startSource(paths: Paths, tell: (event: Event) => void): Source {
  const queues = new Map<string, readonly Proposal[]>()
  const agents = new Map<string, ActiveBottle>()
  const asking = new Map<string, Promise<void>>()
  const again = new Set<string>()
  let stopped = false

  const stopQueues = watchFolders(paths.queue, (slugs) => {
    for (const slug of slugs) {
      const { proposals, warnings } = readOpen(join(paths.queue, slug), slug)
      if (proposals.length === 0) queues.delete(slug)
      else queues.set(slug, proposals)
      for (const text of warnings) tell({ kind: "say", text })
    }
    tell({ kind: "proposals", list: [...queues.values()].flat().sort(byArrival), at: performance.now() })
  })
  /** One question at a time for each bottle; a change meanwhile asks once more. */
  const ask = (slug: string) => {
    if (asking.has(slug)) return void again.add(slug)
    const asked = describeBottle(paths, slug)
      .catch(() => undefined)
      .then((row) => {
        asking.delete(slug)
        if (row === undefined) agents.delete(slug)
        else agents.set(slug, row)
        if (again.delete(slug)) ask(slug)
        if (!stopped && asking.size === 0) tellAgents()
      })
    asking.set(slug, asked)
  }
  const tellAgents = () => {
    const list = [...agents.values()].sort((a, b) => a.startedAt.localeCompare(b.startedAt))
    tell({ kind: "agents", list })
  }
  const stopStates = watchFolders(paths.stateRoot, (slugs) => {
    for (const slug of slugs) ask(slug)
  })
  const look = () => {
    for (const [slug, { state }] of agents) if (state !== "stopped" && state !== "frozen") ask(slug)
  }
  const slow = setInterval(look, askEvery)
  // A first list of nothing is an answer too.
  const first = setTimeout(() => {
    if (queues.size === 0) tell({ kind: "proposals", list: [], at: performance.now() })
  }, 100)
  return {
    look,
    stop() {
      stopped = true
      clearInterval(slow)
      clearTimeout(first)
      stopQueues()
      stopStates()
    },
  }
}
