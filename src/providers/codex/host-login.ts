import { join, resolve } from "node:path"
import { asObject, type HostLogin, type Login, type LoginRead, readObject, tokenText } from "../host-login.ts"

/** The CLI's own name at the endpoint, and where it renews (0.169.0). Refresh tokens are used once there. */
const clientId = "app_EMoamEEZ73f0CkXaXp7hrann"
const endpoint = "https://auth.openai.com/oauth/token"
const accountClaims = "https://api.openai.com/auth"

/** `auth.json` of Codex: a ChatGPT subscription's tokens, or an API key. */
export const codexLogin: HostLogin = {
  command: "codex login",
  file: (env, home) => join(resolve(env.CODEX_HOME || join(home, ".codex")), "auth.json"),
  read: readCodexLogin,
  renewal: (_text, refresh_token) => ({
    url: endpoint,
    body: { client_id: clientId, grant_type: "refresh_token", refresh_token },
  }),
  renewed(text, answer, now) {
    const file = readObject(text)
    const tokens = asObject(file?.tokens)
    const given = asObject(answer)
    const access = tokenText(given?.access_token)
    if (tokens === undefined || access === undefined) return undefined
    const next = {
      ...tokens,
      access_token: access,
      id_token: tokenText(given?.id_token) ?? tokens.id_token,
      refresh_token: tokenText(given?.refresh_token) ?? tokens.refresh_token,
    }
    return `${JSON.stringify({ ...file, tokens: next, last_refresh: now.toISOString() }, undefined, 2)}\n`
  },
}

function readCodexLogin(text: string): LoginRead {
  const file = readObject(text)
  if (file === undefined) return { kind: "none", why: "it is not JSON" }
  const tokens = asObject(file.tokens)
  const token = tokenText(tokens?.access_token)
  if (token !== undefined) return { kind: "login", login: subscription(token, tokens ?? {}) }
  const key = tokenText(file.OPENAI_API_KEY)
  if (key !== undefined) return { kind: "login", login: { token: key, way: "api-key" } }
  return { kind: "none", why: "it holds no token" }
}

function subscription(token: string, tokens: Record<string, unknown>): Login {
  const claims = claimsOf(token)
  const [from, until] = [seconds(claims?.iat), seconds(claims?.exp)]
  const refreshToken = tokenText(tokens.refresh_token)
  const account = tokenText(tokens.account_id) ?? tokenText(asObject(claims?.[accountClaims])?.chatgpt_account_id)
  return {
    token,
    way: "subscription",
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(until === undefined ? {} : { expires: until }),
    ...(from === undefined || until === undefined ? {} : { lifetime: until - from }),
    ...(account === undefined ? {} : { account }),
  }
}

/** What a JWT says about itself; nobody here needs to believe it more than the CLI does. */
function claimsOf(token: string): Record<string, unknown> | undefined {
  return readObject(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"))
}

function seconds(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value * 1000 : undefined
}
