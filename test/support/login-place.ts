import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { furnishCodex } from "./codex-place.ts"
import { type RunOptions, type RunResult, run } from "./command.ts"
import { makeAuthority } from "./model/pki.ts"
import { type PretendModel, startModel } from "./model/server.ts"
import { type Place, placeBinary } from "./place.ts"

const account = "7d3f1c1e-0000-4000-8000-acc000000001"

/** A person logged in to Codex with a subscription, and the world that this takes, all on this machine. */
export interface LoginWorld {
  model: PretendModel
  /** Requests that the model's host refused: their token was none it knew, or had ended. */
  failures: string[]
  /** Refresh tokens that the endpoint was asked with. */
  renewals: string[]
  /** Every token that was ever handed out. */
  secrets: string[]
  /** Bearer tokens with the number of the request of the model that they came with. */
  tokens: { token: string; body: string }[]
  authFile: string
  /** Log in with tokens that end in so many ms. */
  logIn(lifetime: number): void
  /** What the endpoint answers instead of a token. */
  refuse: { status: number; error: string } | undefined
  /** `bottle` in a world where the endpoint's name is one of this machine's addresses, and its authority is trusted. */
  bottle(args: readonly string[], options?: RunOptions): Promise<RunResult>
  close(): void
}

/** Needs root: the world is a mount namespace with other files in /etc, and the endpoint listens on port 443. */
export async function furnishLogin(place: Place): Promise<LoginWorld> {
  ;(await furnishCodex(place)).close()
  const authority = makeAuthority(join(place.dir, "login-pki"))
  chmodSync(join(place.dir, "login-pki"), 0o755)
  const model = await startModel({})
  const address = `127.${process.pid % 200}.${Math.floor(Math.random() * 200)}.7`
  const folder = join(place.home, ".codex")
  const secret = (kind: string) => `${kind}-REAL-${crypto.randomUUID()}`
  const valid = new Set<string>()

  const world: LoginWorld = {
    ...{ model, failures: [], renewals: [], secrets: [], tokens: [], refuse: undefined },
    authFile: join(folder, "auth.json"),
    logIn(lifetime) {
      const tokens = mint(lifetime)
      mkdirSync(folder, { recursive: true })
      const text = { auth_mode: "chatgpt", tokens, last_refresh: new Date().toISOString() }
      writeFileSync(world.authFile, JSON.stringify(text), { mode: 0o600 })
      const { uid, gid } = statSync(place.home)
      for (const path of [folder, world.authFile]) chownSync(path, uid, gid)
    },
    bottle: (args, options = {}) =>
      run(["unshare", "--mount", "sh", "-c", script, "sh", ...place.as([placeBinary(place), ...args])], {
        cwd: place.work,
        env: place.env,
        ...options,
      }),
    close() {
      model.close()
      endpoint.stop(true)
      front.stop(true)
    },
  }

  function mint(lifetime: number) {
    const now = Date.now()
    const claims = { iat: now / 1000, exp: (now + lifetime) / 1000, jti: crypto.randomUUID() }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
    const access_token = `${part({ alg: "RS256" })}.${part(claims)}.${crypto.randomUUID().replaceAll("-", "")}`
    const refresh_token = secret("refresh")
    valid.add(refresh_token)
    world.secrets.push(access_token, refresh_token)
    return { id_token: access_token, access_token, refresh_token, account_id: account }
  }

  const endpoint = Bun.serve({
    hostname: address,
    port: 443,
    tls: authority.issue("auth.openai.com"),
    async fetch(request) {
      const { refresh_token } = (await request.json()) as { refresh_token: string }
      world.renewals.push(refresh_token)
      if (world.refuse !== undefined)
        return Response.json({ error: world.refuse.error }, { status: world.refuse.status })
      // Good for one use.
      if (!valid.delete(refresh_token)) return Response.json({ error: "refresh_token_reused" }, { status: 401 })
      return Response.json(mint(3_600_000))
    },
  })

  /** chatgpt.com: lets in whoever has a token of ours that has not ended. */
  const front = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: authority.issue("chatgpt.com"),
    async fetch(request) {
      const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? ""
      const { pathname, search } = new URL(request.url)
      const body = await request.text()
      const { exp = 0 } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString() || "{}")
      if (
        !world.secrets.includes(token) ||
        exp * 1000 < Date.now() ||
        request.headers.get("chatgpt-account-id") !== account
      ) {
        world.failures.push(`${request.method} ${pathname} ${token.slice(0, 20)}`)
        return Response.json({ error: { message: "token_expired" } }, { status: 401 })
      }
      if (pathname.endsWith("/wham/accounts/check")) return Response.json(accountAnswer)
      if (pathname.endsWith("/wham/settings/user")) return Response.json({})
      world.tokens.push({ token, body })
      const path = pathname.replace("/backend-api/codex", "/v1")
      return fetch(`http://127.0.0.1:${model.port}${path}${search}`, {
        method: request.method,
        headers: { "content-type": "application/json" },
        ...(body === "" ? {} : { body }),
      })
    },
  })

  place.writeBottle(
    "codex",
    `agent_provider: {template: codex, forward_host_credentials: true, settings: {model: pretend}}
egress:
  routes:
    - host: chatgpt.com
      matches: []
      connect_to: 127.0.0.1:${front.port}
      ca: ${authority.certFile}
      allow_private: true`,
  )
  const hosts = join(place.dir, "hosts")
  writeFileSync(hosts, `${readFileSync("/etc/hosts", "utf8")}\n${address} auth.openai.com\n`, { mode: 0o644 })
  const bundle = join(place.dir, "bundle.crt")
  copyFileSync("/etc/ssl/certs/ca-certificates.crt", bundle)
  writeFileSync(bundle, `${readFileSync(bundle, "utf8")}\n${authority.cert}`, { mode: 0o644 })
  const script = `mount --bind ${hosts} /etc/hosts && mount --bind ${bundle} /etc/ssl/certs/ca-certificates.crt && exec "$@"`
  return world
}

const accountAnswer = {
  accounts: [
    {
      id: account,
      plan_type: "plus",
      workspace_backend_origin: "https://chatgpt.com",
      account_routing_override: "NO_CONSTRAINT",
    },
  ],
  account_ordering: [account],
  default_account_id: account,
}
