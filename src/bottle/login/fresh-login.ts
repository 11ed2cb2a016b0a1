import type { HostLogin, Login, LoginRead } from "../../providers/host-login.ts"
import type { LoginFile } from "./login-file.ts"
import type { TokenAnswer } from "./post-token.ts"

/** How long before its end a token is renewed, at most, in ms; of a short-lived one a third of its life. */
const margin = 5 * 60_000
/** How long to wait for somebody else who renews, and between two looks, in ms. */
const patience = 30_000
const pause = 50

export interface LoginDeps {
  now(): number
  post(url: string, body: Readonly<Record<string, string>>): Promise<TokenAnswer>
  sleep(ms: number): Promise<void>
}

/**
 * `fresh`: good for a while. `stale`: it could not be renewed now, `why` says the reason; it may still be good.
 * `refused`: it will never be renewed, only a new login helps. `none`: the host has no login.
 */
export type LoginState =
  | { kind: "fresh"; login: Login }
  | { kind: "stale"; login: Login; why: string }
  | { kind: "refused"; login: Login; why: string }
  | { kind: "none"; why: string }

/** When a token is due to be renewed, ms since 1970; undefined: never. */
export function dueAt({ expires, lifetime }: Login): number | undefined {
  if (expires === undefined) return undefined
  return expires - Math.min(margin, lifetime === undefined ? margin : lifetime / 3)
}

/**
 * The host's login, renewed first when it is due. One process renews at a time: whoever comes second finds what the
 * first wrote, as does the operator's own CLI, since refresh tokens are good for one use. A login that changes
 * meanwhile is never overwritten.
 */
export async function freshLogin(kind: HostLogin, file: LoginFile, deps: LoginDeps): Promise<LoginState> {
  const start = deps.now()
  for (;;) {
    const seen = readLogin(kind, file)
    if (seen.kind === "none") return seen
    const { login } = seen
    const due = dueAt(login)
    if (due === undefined || deps.now() < due) return { kind: "fresh", login }
    if (login.refreshToken === undefined) return { kind: "refused", login, why: "it cannot be renewed" }
    const held = file.lock(kind.ownLock)
    if (held !== undefined) {
      try {
        const renewed = await renew(kind, file, login, deps)
        if (renewed !== undefined) return renewed
      } finally {
        held.release()
      }
    } else if (deps.now() - start > patience) {
      return { kind: "stale", login, why: "another program has been renewing it for too long" }
    }
    await deps.sleep(pause)
  }
}

export function readLogin(kind: HostLogin, file: LoginFile): LoginRead {
  const text = file.read()
  return text === undefined ? { kind: "none", why: "there is no such file" } : kind.read(text)
}

/** Under the lock. Undefined: somebody else changed the login meanwhile, look again. */
async function renew(kind: HostLogin, file: LoginFile, old: Login, deps: LoginDeps): Promise<LoginState | undefined> {
  const before = file.read()
  const current = before === undefined ? undefined : kind.read(before)
  if (before === undefined || current?.kind !== "login" || current.login.token !== old.token) return undefined
  const { refreshToken } = current.login
  if (refreshToken === undefined) return undefined
  // What the endpoint answers replaces what it was asked with: there must be a place for it before it is asked.
  const place = file.reserve(before)
  if (place.kind === "no") return { kind: "stale", login: old, why: place.why }
  try {
    const { url, body } = kind.renewal(before, refreshToken)
    const answer = await deps.post(url, body)
    if (file.read() !== before) return undefined
    if (answer.kind === "refused") return { kind: "refused", login: old, why: answer.why }
    if (answer.kind === "unreachable") return { kind: "stale", login: old, why: answer.why }
    const after = kind.renewed(before, answer.value, new Date(deps.now()))
    const read = after === undefined ? undefined : kind.read(after)
    if (after === undefined || read?.kind !== "login") {
      return { kind: "stale", login: old, why: "the endpoint answered with something else than a token" }
    }
    place.commit(after)
    return { kind: "fresh", login: read.login }
  } finally {
    place.abandon()
  }
}
