import { closeSync, constants, openSync, writeSync } from "node:fs"
import { type Loaded, lookAt } from "./load.ts"
import { type BottlePane, findDashboard, findPanes } from "./panes.ts"
import type { Reviews } from "./reviews.ts"
import { chooseSurface, openSurface } from "./surface.ts"
import type { Tmux } from "./tmux.ts"

/** A new proposal, for the person at one server. */
export interface Notice {
  slug: string
  /** What shows it: program and words, no shell. */
  argv: readonly [string, string, ...string[]]
  cwd: string
}

/** How long a program may take to show itself, in ms, and how often is looked. */
const showPatience = 5_000
const showEvery = 25

/**
 * Tell one server of a new proposal as its `@bottle-notify` says: the bell of the agent's pane, the focus, a popup.
 * Never rejects; what cannot be shown stays in the badge, and the next popup begins with it.
 */
export async function notifyServer(tmux: Tmux, reviews: Reviews, notice: Notice): Promise<void> {
  const [looked, panes, client] = await Promise.all([
    lookAt(tmux).catch(() => undefined),
    findPanes(tmux),
    lastClient(tmux),
  ])
  if (looked === undefined) return
  const { notify } = looked.options
  const own = panes.filter((pane) => pane.slug === notice.slug)
  if (notify.has("bell")) for (const pane of own) ring(pane)
  const [first] = own
  if (notify.has("focus")) {
    // Where there is a dashboard its cursor stands on the proposal.
    const target = (await findDashboard(tmux)) ?? first
    if (target !== undefined) await focus(tmux, target, client)
  }
  if (notify.has("popup") && client !== undefined) await show(tmux, reviews, looked, notice, client, first?.id)
}

/** Open one review, unless one is open: that one shows this proposal too. Resolves when it is shown, or is not. */
async function show(
  tmux: Tmux,
  reviews: Reviews,
  { options, abilities, socket }: Loaded & { socket: string },
  { argv, cwd }: Notice,
  client: string,
  pane: string | undefined,
): Promise<void> {
  const right = reviews.isShown(socket) ? undefined : reviews.mayOpen(socket)
  if (right === undefined) return
  try {
    const { kind } = chooseSurface(options.surface, abilities)
    const opened = openSurface(tmux, kind, options, abilities, { client, pane, argv, cwd, title: "bottle: a proposal" })
    // A popup answers when it has closed, also one that tmux dropped since another is open.
    const closed = kind === "popup" ? opened : opened.then(({ ok }) => (ok ? new Promise(() => undefined) : undefined))
    let over = false
    void closed.then(() => {
      over = true
    })
    const limit = performance.now() + showPatience
    while (!over && performance.now() < limit && !reviews.isShown(socket)) await Bun.sleep(showEvery)
  } finally {
    right.release()
  }
}

/** A pane's window, in whichever session the person is. */
function focus(tmux: Tmux, { window, id }: Pick<BottlePane, "id" | "window">, client: string | undefined) {
  const go = client === undefined ? [] : [["switch-client", "-c", client, "-t", id]]
  return tmux.run(["select-window", "-t", window], ["select-pane", "-t", id], ...go)
}

/** BEL as output of the pane sets its window's bell flag. Opened so that neither a full nor a foreign tty holds us. */
function ring({ tty }: BottlePane): void {
  try {
    const fd = openSync(tty, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK)
    try {
      writeSync(fd, "\x07")
    } finally {
      closeSync(fd)
    }
  } catch {
    // The pane has just gone: the badge says it.
  }
}

/** The client that was used last: a proposal is asked of one person once. Programs that control tmux show nothing. */
async function lastClient(tmux: Tmux): Promise<string | undefined> {
  const listed = await tmux.run([
    "list-clients",
    "-F",
    "#{client_activity} #{?client_control_mode,control,screen} #{client_name}",
  ])
  if (!listed.ok) return undefined
  const seen = listed.text.split("\n").flatMap((line) => {
    const [at = "", kind = "", ...name] = line.split(" ")
    return kind === "screen" ? [{ at: Number(at), name: name.join(" ") }] : []
  })
  return seen.toSorted((a, b) => b.at - a.at)[0]?.name
}
