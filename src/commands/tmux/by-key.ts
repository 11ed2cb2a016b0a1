import { BottleError } from "../../lib/errors.ts"
import { type Loaded, lookAt, say } from "../../tmux/load.ts"
import { currentSocket, openTmux, type Tmux } from "../../tmux/tmux.ts"
import type { Shell } from "../_shell.ts"

/** A key of the plugin's, pressed: where, and in which server. */
export interface KeyPress extends Loaded {
  tmux: Tmux
  /** `%3`; undefined: typed by hand, without it. */
  pane: string | undefined
  client: string | undefined
  shell: Shell
  /** A line for the person who pressed it. */
  say(text: string): Promise<unknown>
}

/**
 * Do what a key is for. tmux shows whatever its program prints in a mode of its own, over the pane, so nothing is
 * printed: what fails is said in the status line of whoever pressed the key.
 */
export async function runByKey(
  work: (press: KeyPress) => Promise<void>,
  { pane, client }: { pane: string | undefined; client: string | undefined },
  shell: Shell,
): Promise<void> {
  const socket = currentSocket(shell.env)
  if (socket === undefined) {
    throw new BottleError("this is what keys of tmux do, and this is no tmux", {
      code: "no-tmux",
      exit: "missingPart",
      hint: "bottle tmux install sets it up",
    })
  }
  const tmux = openTmux(socket, shell.env)
  const speak = (text: string) => say(tmux, client, text)
  try {
    await work({ ...(await lookAt(tmux)), tmux, pane, client, shell, say: speak })
  } catch (error) {
    const hint = error instanceof BottleError && error.hint !== undefined ? ` (${error.hint})` : ""
    await speak(`${error instanceof Error ? error.message : String(error)}${hint}`)
  }
}
