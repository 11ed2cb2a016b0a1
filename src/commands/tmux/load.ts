import { tally } from "../../bottle/proposals/tally.ts"
import { BottleError } from "../../lib/errors.ts"
import { version } from "../../lib/version.ts"
import { pushBadge } from "../../tmux/badge.ts"
import { loadPlugin, say } from "../../tmux/load.ts"
import { openServers } from "../../tmux/servers.ts"
import { currentSocket, openTmux } from "../../tmux/tmux.ts"
import type { Shell } from "../_shell.ts"

/**
 * Bind the keys in the server that this runs in. tmux shows what a key's program prints in a mode of its own, and TPM
 * throws it away, so the operator is told in the status line; on a terminal of their own, there.
 */
export async function runLoad(shell: Shell): Promise<void> {
  const socket = currentSocket(shell.env)
  if (socket === undefined) {
    throw new BottleError("bottle tmux load sets up the tmux that it runs in, and this is none", {
      code: "no-tmux",
      exit: "missingPart",
      hint: "bottle tmux install adds a line to tmux.conf; or run it inside tmux",
    })
  }
  const tmux = openTmux(socket, shell.env)
  const { problems, options } = await loadPlugin(tmux, process.execPath, version).catch((error: Error) => {
    throw new BottleError(`tmux: ${error.message}`, { code: "tmux", exit: "failed" })
  })
  const servers = openServers(shell.paths.runtimeRoot)
  servers.add(socket)
  // This server alone: the others know.
  await pushBadge({ ...servers, list: () => [socket] }, () => tmux, tally(shell.paths))
  if (problems.length > 0) await say(tmux, undefined, problems.join("; "))
  if (!shell.terminal.interactive) return
  for (const problem of problems) shell.log.info(problem)
  shell.log.info(options.key === undefined ? "loaded; @bottle-key is none" : `loaded; press prefix + ${options.key}`)
}
