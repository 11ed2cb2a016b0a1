import type { KeyPress } from "./by-key.ts"
import { onSurface } from "./on-surface.ts"

/** The questions of a start, on a surface; the agent gets a pane beside the one that the key was pressed in. */
export async function runStartKey(press: KeyPress): Promise<void> {
  await onSurface(press, "bottle: start an agent", [
    "tmux",
    "ask",
    ...(press.pane === undefined ? [] : ["--pane", press.pane]),
    ...(press.client === undefined ? [] : ["--client", press.client]),
  ])
}
