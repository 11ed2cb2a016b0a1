import { chooseSurface, openSurface } from "../../tmux/surface.ts"
import type { KeyPress } from "./by-key.ts"

/** Run a command of bottle's on the surface that the operator chose; what cannot be shown is said. */
export async function onSurface(
  { tmux, options, abilities, pane, client, shell, say }: KeyPress,
  title: string,
  argv: readonly string[],
): Promise<void> {
  const { kind, instead } = chooseSurface(options.surface, abilities)
  const [verb = "", ...words] = argv
  const wish = { client, pane, argv: [process.execPath, verb, ...words] as const, cwd: shell.env.HOME ?? "/", title }
  const opened = await openSurface(tmux, kind, options, abilities, wish)
  const why = opened.ok || opened.late ? instead : opened.message
  if (why !== undefined) await say(why)
}
