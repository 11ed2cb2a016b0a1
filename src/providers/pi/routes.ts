import type { PathRule, Route, RouteMatch } from "../../policy/types.ts"
import type { PiSettings } from "./settings.ts"

const exact = (...paths: string[]): PathRule[] => paths.map((value) => ({ type: "exact", value }))

/** What the CLI needs of each model API, measured with 1.5.2 and `PI_OFFLINE`: model calls, nothing else. */
const apis: Readonly<Record<PiSettings["provider"], { host: string; matches: readonly RouteMatch[] }>> = {
  anthropic: { host: "api.anthropic.com", matches: [{ methods: ["POST"], paths: exact("/v1/messages") }] },
  openai: { host: "api.openai.com", matches: [{ methods: ["POST"], paths: exact("/v1/responses") }] },
}

/** The CLI's routes, with the operator's token put in when a slot is declared. */
export function piRoutes({ provider, auth }: PiSettings, authSlot: string | undefined): Route[] {
  const route: Route = { ...apis[provider], scheme: "https", port: 443 }
  if (authSlot === undefined) return [route]
  const scheme = provider === "anthropic" && auth === "api-key" ? "header:x-api-key" : "Bearer"
  return [{ ...route, auth: { scheme, token_ref: authSlot } }]
}
