import { join, resolve } from "node:path"
import { asObject, type HostLogin, type LoginRead, readObject, tokenText } from "../host-login.ts"

/** The CLI's own name at the endpoint, where it renews, and the lock it takes meanwhile (2.1.329). */
const clientId = "9d1c250a-e61b-44d9-88ed-5944d1962f5e"
const endpoint = "https://platform.claude.com/v1/oauth/token"

/** `.credentials.json` of Claude Code: a subscription's tokens. */
export const claudeLogin: HostLogin = {
  command: "claude, then /login",
  file: (env, home) => join(resolve(env.CLAUDE_CONFIG_DIR || join(home, ".claude")), ".credentials.json"),
  read: readClaudeLogin,
  renewal(text, refresh_token) {
    const scopes = asObject(readObject(text)?.claudeAiOauth)?.scopes
    const scope = Array.isArray(scopes) ? { scope: scopes.map(String).join(" ") } : {}
    return { url: endpoint, body: { grant_type: "refresh_token", refresh_token, client_id: clientId, ...scope } }
  },
  renewed(text, answer, now) {
    const file = readObject(text)
    const oauth = asObject(file?.claudeAiOauth)
    const given = asObject(answer)
    const accessToken = tokenText(given?.access_token)
    if (oauth === undefined || accessToken === undefined) return undefined
    const { expires_in: lasts, scope } = given ?? {}
    const next = {
      ...oauth,
      accessToken,
      refreshToken: tokenText(given?.refresh_token) ?? oauth.refreshToken,
      ...(typeof lasts === "number" ? { expiresAt: now.getTime() + lasts * 1000 } : {}),
      ...(typeof scope === "string" && scope !== "" ? { scopes: scope.split(" ") } : {}),
    }
    return JSON.stringify({ ...file, claudeAiOauth: next })
  },
  ownLock: { name: ".oauth_refresh.lock", stale: 60_000 },
}

function readClaudeLogin(text: string): LoginRead {
  const file = readObject(text)
  if (file === undefined) return { kind: "none", why: "it is not JSON" }
  const oauth = asObject(file.claudeAiOauth)
  const token = tokenText(oauth?.accessToken)
  if (token === undefined) return { kind: "none", why: "it holds no token" }
  const refreshToken = tokenText(oauth?.refreshToken)
  const expires = oauth?.expiresAt
  return {
    kind: "login",
    login: {
      token,
      way: "subscription",
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(typeof expires === "number" ? { expires } : {}),
    },
  }
}
