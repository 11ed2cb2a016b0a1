import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Paths } from "../../../lib/paths.ts"
import { paneState, pushBadge } from "../../../tmux/badge.ts"
import { notifyServer } from "../../../tmux/notify.ts"
import { openReviews } from "../../../tmux/reviews.ts"
import { openServers } from "../../../tmux/servers.ts"
import { openTmux } from "../../../tmux/tmux.ts"
import { countOpen, degradedMark, tally } from "../../proposals/tally.ts"

export interface NoticeDeps {
  paths: Paths
  slug: string
  /** Of this keeper: what finds tmux, and the home that a popup shall look at. */
  env: Readonly<Record<string, string | undefined>>
  log(text: string): void
}

/** How long the end of a bottle waits for its last news to be told, in ms. */
const lastPatience = 1_000

/**
 * What the operator's tmux is told: the badge and the panes' states whenever something changed, and a notice of each
 * new proposal. Changes are told together, at most one telling at a time; nothing that tmux does holds or fails a
 * keeper, and without a server that loaded the plugin nothing is done at all.
 */
export class Notices {
  readonly #deps: NoticeDeps
  #degraded = false
  #resting = false
  #changed = false
  #asked: string | undefined
  #telling: Promise<void> | undefined

  constructor(deps: NoticeDeps) {
    this.#deps = deps
  }

  /** Something was decided, has ended, or is offered again. */
  changed(): void {
    this.#changed = true
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined
    })
  }

  /** A new proposal; several at once are one notice. */
  asked(id: string): void {
    this.#asked ??= id
    this.changed()
  }

  /** A bottle that ends is not degraded. */
  health(degraded: boolean): void {
    if (degraded === this.#degraded || this.#resting) return
    this.#degraded = degraded
    const mark = join(this.#deps.paths.runtime(this.#deps.slug), degradedMark)
    try {
      if (degraded) writeFileSync(mark, "", { mode: 0o600 })
      else rmSync(mark, { force: true })
    } catch (error) {
      this.#deps.log(`badge: ${String(error)}`)
    }
    this.changed()
  }

  /** The end has begun. */
  rest(): void {
    this.#resting = true
  }

  /** Tell how the bottle left things, if that goes soon. */
  async last(): Promise<void> {
    this.changed()
    await Promise.race([this.#telling, Bun.sleep(lastPatience)])
  }

  async #tell(): Promise<void> {
    while (this.#changed) {
      // Whoever changed something goes on first, and may change more.
      await new Promise(setImmediate)
      this.#changed = false
      const asked = this.#asked
      this.#asked = undefined
      await this.#tellOnce(asked).catch((error: unknown) => this.#deps.log(`badge: ${String(error)}`))
    }
  }

  async #tellOnce(asked: string | undefined): Promise<void> {
    const { paths, slug, env } = this.#deps
    const servers = openServers(paths.runtimeRoot)
    if (servers.list().length === 0) return
    const open = (socket: string) => openTmux(socket, env)
    if (asked !== undefined) for (const socket of servers.list()) this.#notify(open(socket), asked)
    const state = paneState({ asks: countOpen(paths, slug) > 0, degraded: this.#degraded })
    await pushBadge(servers, open, tally(paths), { slug, state })
  }

  /** Not waited for: a popup is open as long as somebody reads it. */
  #notify(tmux: ReturnType<typeof openTmux>, id: string): void {
    const { paths, slug, env, log } = this.#deps
    // The server's environment is its own: the popup is told which home the proposal is in.
    const home = `BOT_BOTTLE_HOME=${paths.home}`
    const more = env.XDG_RUNTIME_DIR === undefined ? [] : [`XDG_RUNTIME_DIR=${env.XDG_RUNTIME_DIR}`]
    const argv = ["env", home, ...more, process.execPath, "review", id] as const
    notifyServer(tmux, openReviews(paths.runtimeRoot), { slug, argv, cwd: env.HOME ?? "/" }).catch((error: unknown) =>
      log(`notice: ${String(error)}`),
    )
  }
}
