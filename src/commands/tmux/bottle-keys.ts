import { askKeeper } from "../../bottle/client.ts"
import { BottleError } from "../../lib/errors.ts"
import { isSlug } from "../../lib/slug.ts"
import { goTo } from "../../tmux/layout.ts"
import { findPanes } from "../../tmux/panes.ts"
import type { KeyPress } from "./by-key.ts"
import { onSurface } from "./on-surface.ts"

/** Go to the pane of an agent: of the only one there is, else of the one that is picked. */
export async function runAttachKey(press: KeyPress): Promise<void> {
  const panes = await findPanes(press.tmux)
  const others = panes.filter(({ id }) => id !== press.pane)
  const [only] = others
  if (only !== undefined && others.length === 1) {
    await goTo(press.tmux, only, press.client)
    return
  }
  await onSurface(press, "bottle: go to an agent", ["tmux", "pick", ...places(press)])
}

/** Ask whether to stop the bottle of this pane, and stop it. */
export async function runStopKey(press: KeyPress): Promise<void> {
  const slug = await slugHere(press)
  await onSurface(press, `bottle: stop ${slug}`, ["tmux", "hold", "--ask", `stop ${slug}?`, "--", "stop", slug])
}

/** The logs of this pane's bottle, as they are written. */
export async function runLogsKey(press: KeyPress): Promise<void> {
  const slug = await slugHere(press)
  await onSurface(press, `bottle: logs of ${slug}`, ["logs", slug, "-f"])
}

/** What this pane's bottle may reach now. */
export async function runRoutesKey(press: KeyPress): Promise<void> {
  const slug = await slugHere(press)
  await onSurface(press, `bottle: routes of ${slug}`, ["tmux", "hold", "--", "routes", "show", slug])
}

export async function runDashboardKey(press: KeyPress): Promise<void> {
  await onSurface(press, "bottle: dashboard", ["dashboard"])
}

function places({ pane, client }: KeyPress): string[] {
  return [...(pane === undefined ? [] : ["--pane", pane]), ...(client === undefined ? [] : ["--client", client])]
}

/** The bottle of the pane that the key was pressed in, or the only one that shows in this server. */
async function slugHere({ tmux, pane, shell }: KeyPress): Promise<string> {
  const panes = (await findPanes(tmux)).filter(({ slug }) => isSlug(slug))
  const here = panes.find(({ id }) => id === pane)
  const slugs = new Set(panes.map(({ slug }) => slug))
  const [only] = slugs
  const slug = here?.slug ?? (slugs.size === 1 ? only : undefined)
  if (slug === undefined) {
    throw new BottleError("no bottle here", {
      code: "no-bottle-here",
      exit: "notFound",
      hint: "press the key in an agent's pane",
    })
  }
  await askKeeper(shell.paths, slug, { op: "status" })
  return slug
}
