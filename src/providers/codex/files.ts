import { join } from "node:path"
import type { GuestFile } from "../../../sidecars/guest/protocol.ts"
import type { ProviderRequest } from "../provider.ts"
import { superviseSeconds, superviseUrl } from "../supervise.ts"
import { hasSystemPrompt } from "../wants.ts"
import type { CodexSettings } from "./settings.ts"
import { subscriptionPlaceholder, subscriptionUrl } from "./subscription.ts"
import { type Toml, writeToml } from "./toml.ts"

/** What the CLI holds instead of a key. Any string will do for it, this one says to a reader what it is. */
export const placeholder = "sk-placeholder-the-real-key-stays-outside-this-bottle"

/** What every bottle sets `NO_PROXY` to. */
export const notProxied = "localhost,127.0.0.1,::1"

/** Configuration and login that make the CLI start without a question and keep to one host. */
export function codexFiles(want: ProviderRequest, settings: CodexSettings): GuestFile[] {
  const folder = join(want.home, ".codex")
  return [
    { path: join(folder, "config.toml"), mode: 0o600, content: writeToml(configuration(want, settings)) },
    {
      path: join(folder, "auth.json"),
      mode: 0o600,
      content: `${JSON.stringify(placeholderLogin(want), undefined, 2)}\n`,
    },
  ]
}

function placeholderLogin({ login }: ProviderRequest): object {
  return login?.way === "subscription" ? subscriptionPlaceholder(login.account) : { OPENAI_API_KEY: placeholder }
}

function configuration(want: ProviderRequest, settings: CodexSettings): Toml {
  return {
    ...(settings.model === undefined ? {} : { model: settings.model }),
    model_provider: "bottle",
    ...(hasSystemPrompt(want) ? { developer_instructions: want.systemPrompt } : {}),
    // The bottle is the fence.
    approval_policy: "never",
    sandbox_mode: "danger-full-access",
    check_for_update_on_startup: false,
    shell_environment_policy: { set: { NO_PROXY: notProxied, no_proxy: notProxied } },
    analytics: { enabled: false },
    feedback: { enabled: false },
    features: {
      // Hosts of their own: github.com and chatgpt.com.
      plugins: false,
      apps: false,
      // A shared background process would keep the configuration of an earlier session.
      daemon_auto_start: false,
      // Egress and its log read plain bodies.
      enable_request_compression: false,
    },
    // The built-in provider asks chatgpt.com for models and tries a WebSocket first; this is the same API without.
    model_providers: {
      bottle: {
        name: "OpenAI",
        base_url: want.login?.way === "subscription" ? subscriptionUrl : "https://api.openai.com/v1",
        wire_api: "responses",
        requires_openai_auth: true,
        supports_websockets: false,
      },
    },
    projects: { [want.workspace]: { trust_level: "trusted" } },
    // By default the CLI gives up after 300 s, progress or not.
    ...(want.supervise
      ? { mcp_servers: { supervise: { url: superviseUrl, tool_timeout_sec: superviseSeconds } } }
      : {}),
  }
}
