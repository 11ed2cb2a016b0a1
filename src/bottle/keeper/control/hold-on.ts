import type { Duplex } from "node:stream"
import type { RunningBottle } from "../../../backends/backend.ts"
import { ControlLink } from "./control-link.ts"
import type { SidecarBook } from "./sidecar-book.ts"

/** Pauses between two attempts at a stream that broke, in ms: the first, and the longest. */
const pauses = { first: 20, longest: 2_000 } as const

/** Resolves when a part without which the bottle cannot go on has ended, with which. */
export async function partGone(bottle: RunningBottle): Promise<"guest" | "agent boundary" | "sidecars boundary"> {
  const died = bottle.died().then((which) => `${which} boundary` as const)
  if (bottle.endsWithGuest) return died
  const stream = bottle.connectGuest().then(untilClosed, () => undefined)
  return Promise.race([died, stream.then(() => "guest" as const)])
}

/**
 * Open the control channel again whenever it broke while the sidecars live, until the bottle is over. The supervisor
 * sends what nobody was there to take.
 */
export async function keepLinked(
  bottle: RunningBottle,
  first: ControlLink,
  deps: { sidecars: SidecarBook; isOver(): boolean; onLink(link: ControlLink): void },
): Promise<void> {
  let link: ControlLink | undefined = first
  let failures = 0
  if (!bottle.streamsBreak) return
  do {
    await link?.closed
    if (!(await livesOn(bottle, failures, deps.isOver))) return
    const opened = bottle.connectControl().then((stream) => ControlLink.open(stream, deps.sidecars))
    const greeted = await opened.catch(() => undefined)
    link = greeted?.link
    failures = greeted === undefined ? failures + 1 : 0
    if (greeted === undefined) continue
    deps.sidecars.take(greeted.hello.sidecars)
    deps.onLink(greeted.link)
  } while (!deps.isOver())
}

/** Whether the sidecars live, once that can be told: an engine that is away does not know. */
async function livesOn(bottle: RunningBottle, failures: number, isOver: () => boolean): Promise<boolean> {
  for (let attempt = failures; !isOver(); attempt++) {
    await Bun.sleep(Math.min(pauses.first * 2 ** attempt, pauses.longest))
    const alive = await bottle.alive().catch(() => undefined)
    if (alive !== undefined) return alive.sidecars && !isOver()
  }
  return false
}

function untilClosed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve()
    stream.on("error", () => stream.destroy())
    stream.on("end", () => stream.destroy())
    stream.on("close", resolve)
    stream.resume()
  })
}
