/** Where a ChatGPT subscription's model calls go (0.169.0). */
export const subscriptionUrl = "https://chatgpt.com/backend-api/codex"

/** 2100-01-01, in seconds. */
const farFuture = 4_102_444_800

/**
 * `auth.json` of a CLI that is logged in with a subscription and holds none of its tokens. The CLI reads them as JWTs
 * and renews them itself when they look old: these have the shape, end in 2100, and were renewed then. The account's
 * number is the real one, which the CLI sends with each request; it opens nothing.
 */
export function subscriptionPlaceholder(account = "placeholder"): object {
  const claims = {
    exp: farFuture,
    iat: 1_760_000_000,
    email: "placeholder@bottle.invalid",
    "https://api.openai.com/auth": { chatgpt_account_id: account, chatgpt_plan_type: "plus" },
  }
  const token = jwtShaped(claims)
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: { id_token: token, access_token: token, refresh_token: "placeholder-stays-outside", account_id: account },
    last_refresh: new Date(farFuture * 1000).toISOString(),
  }
}

function jwtShaped(claims: object): string {
  const part = (value: object | string) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")
  return [{ alg: "RS256", typ: "JWT" }, claims, "the-real-token-stays-outside-this-bottle"].map(part).join(".")
}
