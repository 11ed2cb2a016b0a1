import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import type { Paths } from "../../lib/paths.ts"
import type { ProviderChoice } from "../../manifest/types.ts"
import type { HostLogin, Login } from "../../providers/host-login.ts"
import { providerFor } from "../../providers/index.ts"
import type { Provider } from "../../providers/provider.ts"
import type { Plan } from "../plan-types.ts"
import { freshLogin, type LoginDeps, readLogin } from "./fresh-login.ts"
import { type LoginFile, loginFile } from "./login-file.ts"
import { postToken } from "./post-token.ts"

export type PlannedLogin = NonNullable<Plan["login"]>

/**
 * What a bottle with `forward_host_credentials` takes from the host: where the login is, and of which kind. Throws
 * `BottleError`: exit 3 where the bottle asks for what cannot be, exit 4 where the host has no login.
 */
export function planLogin(
  provider: Provider,
  choice: ProviderChoice,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): { planned: PlannedLogin; login: Login } | undefined {
  if (choice.forward_host_credentials !== true) return undefined
  const { template, hostLogin } = provider
  if (hostLogin === undefined) {
    throw wrong(`the ${template} provider has no login that could be forwarded`, "claude and codex have one")
  }
  if (choice.auth_token !== undefined) {
    throw wrong("auth_token and forward_host_credentials exclude each other", "leave one of them out")
  }
  const file = hostLogin.file(env, home)
  const read = readLogin(hostLogin, loginFile(file, ""))
  if (read.kind === "none") throw noLogin(template, file, read.why, hostLogin)
  // No manifest can name this slot: slots of files are in capitals.
  return { planned: { template, file, slot: `${template}-login` }, login: read.login }
}

/** The token to launch with, renewed first if it is due. Throws `BottleError` (exit 4) when there is no good one. */
export async function launchToken(planned: PlannedLogin, paths: Paths, proxy: string | undefined): Promise<string> {
  const { kind, file, deps } = await openLogin(planned, paths, proxy)
  const state = await freshLogin(kind, file, deps)
  if (state.kind === "none") throw noLogin(planned.template, planned.file, state.why, kind)
  const { expires, token } = state.login
  if (state.kind === "fresh" || (expires ?? Number.POSITIVE_INFINITY) > deps.now()) return token
  throw new BottleError(`your ${planned.template} login has expired: ${state.why}`, {
    code: "login-expired",
    exit: "missingPart",
    hint: state.kind === "refused" ? `log in anew: ${kind.command}` : "try again when that is mended",
  })
}

/** Everything that renewing takes, wired to this machine. */
export async function openLogin(
  { template, file }: PlannedLogin,
  paths: Paths,
  proxy: string | undefined,
): Promise<{ kind: HostLogin; file: LoginFile; deps: LoginDeps }> {
  const { hostLogin } = await providerFor(template)
  if (hostLogin === undefined) throw new Error(`${template} has no host login`)
  // Above the directory of one BOT_BOTTLE_HOME: two of them may use one login.
  const locks = dirname(paths.runtimeRoot)
  mkdirSync(locks, { recursive: true, mode: 0o700 })
  const deps = {
    now: Date.now,
    post: (url: string, body: object) => postToken(url, { ...body }, proxy),
    sleep: Bun.sleep,
  }
  return { kind: hostLogin, file: loginFile(file, locks), deps }
}

function noLogin(template: string, file: string, why: string, { command }: HostLogin): BottleError {
  return new BottleError(`no ${template} login on this machine: ${file}: ${why}`, {
    code: "no-login",
    exit: "missingPart",
    hint: `log in: ${command}`,
  })
}

function wrong(message: string, hint: string): BottleError {
  return new BottleError(`agent_provider.forward_host_credentials: ${message}`, {
    code: "forward-credentials",
    exit: "badManifest",
    hint,
  })
}
