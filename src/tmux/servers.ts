import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** The tmux servers of this operator that have loaded the plugin: whoever sees a change tells all of them. */
export interface Servers {
  add(socket: string): void
  /** Sockets, those of dead servers too. */
  list(): string[]
  forget(socket: string): void
}

/** `root` is the runtime directory of this home, which no agent sees. */
export function openServers(root: string): Servers {
  // No slug: cleanup takes what is named like a bottle for a bottle's.
  const folder = join(root, ".tmux")
  const file = (socket: string) => join(folder, createHash("sha256").update(socket).digest("hex").slice(0, 16))
  return {
    add(socket) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(file(socket), socket, { mode: 0o600 })
    },
    list() {
      try {
        return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"))
      } catch {
        return []
      }
    },
    forget(socket) {
      rmSync(file(socket), { force: true })
    },
  }
}
