import type { PathRule, Route, RouteMatch } from "../../policy/types.ts"

const exact = (...paths: string[]): PathRule[] => paths.map((value) => ({ type: "exact", value }))

/**
 * What the CLI needs of `api.openai.com`, measured with 0.169.0 and the configuration of `files.ts`: model calls,
 * their compaction, and the list of models. Files, batches, assistants and everything else under the operator's
 * account is left out. The last entry lets nothing out: an attempt at a WebSocket is answered 426 by egress, on which
 * the CLI falls back at once, where 403 would cost it five retries.
 */
const matches: readonly RouteMatch[] = [
  { methods: ["POST"], paths: exact("/v1/responses", "/v1/responses/compact") },
  { methods: ["GET"], paths: exact("/v1/models") },
  { methods: ["GET"], paths: exact("/v1/responses"), headers: [{ name: "upgrade", value: "websocket" }] },
]

/** The same for a subscription, whose calls go to another host; the CLI also asks which account it may use
 * (without an answer it gives up). */
const subscriptionMatches: readonly RouteMatch[] = [
  { methods: ["POST"], paths: exact("/backend-api/codex/responses", "/backend-api/codex/responses/compact") },
  { methods: ["GET"], paths: exact("/backend-api/codex/models", "/backend-api/wham/accounts/check") },
  // Settings, and on a terminal what is left of the subscription: refused, each would count.
  { methods: ["GET"], paths: exact("/backend-api/wham/settings/user", "/backend-api/wham/usage") },
  { methods: ["GET"], paths: exact("/backend-api/wham/rate-limit-reset-credits") },
]

/** The CLI's routes, with the operator's key put in when a slot is declared. */
export function codexRoutes(authSlot: string | undefined, subscription: boolean): Route[] {
  const api = subscription ? { host: "chatgpt.com", matches: subscriptionMatches } : { host: "api.openai.com", matches }
  const route: Route = { ...api, scheme: "https", port: 443 }
  return [authSlot === undefined ? route : { ...route, auth: { scheme: "Bearer", token_ref: authSlot } }]
}
