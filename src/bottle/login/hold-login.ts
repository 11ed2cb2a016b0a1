import type { Secrets } from "../../../sidecars/control.ts"
import type { Paths } from "../../lib/paths.ts"
import type { Plan } from "../plan-types.ts"
import { dueAt, freshLogin, type LoginState } from "./fresh-login.ts"
import { openLogin, type PlannedLogin } from "./host-login.ts"

/** Longest time between two looks at the file, in ms: the operator may log in anew, or this machine may have slept. */
const every = 10_000
/** Shortest one, while renewing fails. */
const retry = 5_000

export interface HoldLoginDeps {
  paths: Paths
  plan: Plan
}

/** Where it is written down how the login is. */
export interface LoginBook {
  noteLogin(condition: string): void
}

/** A message to the sidecars; rejects while nobody is there. */
export type SendSecrets = (message: { type: "secrets"; sidecar: "egress"; secrets: Secrets }) => Promise<unknown>

/** As long as the bottle runs: keep the host's login fresh, and give egress each new token. Returns how to let go. */
export function holdLogin(deps: HoldLoginDeps, book: LoginBook, send: SendSecrets): () => void {
  const { login: planned } = deps.plan
  if (planned === undefined) return () => undefined
  const { slot } = planned
  let stopped = false
  let wake = (): void => undefined

  async function watch(login: PlannedLogin): Promise<void> {
    const { kind, file, deps: world } = await openLogin(login, deps.paths, deps.plan.policy.upstream_proxy)
    let sent: string | undefined
    let refused: string | undefined
    while (!stopped) {
      const before = file.read()
      // One that was refused is asked for again only when there is another.
      if (refused === undefined || before !== refused) {
        const state = await freshLogin(kind, file, world)
        if (stopped) return
        if (state.kind !== "none" && state.login.token !== sent) {
          await send({ type: "secrets", sidecar: "egress", secrets: { [slot]: state.login.token } })
          sent = state.login.token
        }
        refused = state.kind === "refused" ? before : undefined
        book.noteLogin(inWords(state, kind.command))
        await rest(nextLook(state, world.now()))
      } else await rest(every)
    }
  }

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const go = (): void => {
    watch(planned).catch((error: unknown) => {
      if (stopped) return
      book.noteLogin(`not looked after: ${error instanceof Error ? error.message : String(error)}`)
      void rest(retry).then(() => stopped || go())
    })
  }
  go()
  return () => {
    stopped = true
    wake()
  }
}

function nextLook(state: LoginState, now: number): number {
  if (state.kind === "stale" || state.kind === "none") return retry
  const due = dueAt(state.login)
  return due === undefined ? every : Math.max(0, Math.min(every, due - now))
}

function inWords(state: LoginState, command: string): string {
  switch (state.kind) {
    case "fresh": {
      const { expires } = state.login
      return expires === undefined ? "in force" : `in force until ${new Date(expires).toISOString()}`
    }
    case "stale":
      return `cannot be renewed now: ${state.why}; tried again`
    case "refused":
      return `cannot be renewed: ${state.why}; log in anew on this machine: ${command}`
    case "none":
      return `gone from this machine: ${state.why}; log in anew: ${command}`
  }
}
