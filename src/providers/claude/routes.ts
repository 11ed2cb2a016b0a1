import type { PathRule, Route, RouteMatch } from "../../policy/types.ts"
import type { ClaudeSettings } from "./settings.ts"

const exact = (...paths: string[]): PathRule[] => paths.map((value) => ({ type: "exact", value }))

/**
 * What the CLI needs of `api.anthropic.com`, measured with 2.1.329 and optional traffic off: model calls, and three
 * questions at its start. Settings and policy limits are let through because a refusal there delays the first
 * model call by up to 20 s. Files, batches, sessions, and everything that makes or trades tokens is left out: it
 * would run under the operator's own account.
 */
const matches: readonly RouteMatch[] = [
  { methods: ["POST"], paths: exact("/v1/messages", "/v1/messages/count_tokens") },
  { methods: ["GET"], paths: exact("/api/claude_code/settings", "/api/claude_code/policy_limits") },
  { methods: ["GET", "HEAD"], paths: exact("/api/hello") },
]

/** The CLI's routes, with the operator's token put in when a slot is declared. */
export function claudeRoutes(auth: ClaudeSettings["auth"], authSlot: string | undefined): Route[] {
  const route: Route = { host: "api.anthropic.com", scheme: "https", port: 443, matches }
  if (authSlot === undefined) return [route]
  const scheme = auth === "oauth" ? "Bearer" : "header:x-api-key"
  return [{ ...route, auth: { scheme, token_ref: authSlot } }]
}
