import { BottleError } from "../lib/errors.ts"
import type { Provider } from "./provider.ts"

/** Each provider is loaded only when a bottle names it. */
const loaders: Readonly<Record<string, () => Promise<Provider>>> = {
  claude: async () => (await import("./claude/provider.ts")).claudeProvider,
  codex: async () => (await import("./codex/provider.ts")).codexProvider,
  pi: async () => (await import("./pi/provider.ts")).piProvider,
  command: async () => (await import("./command/provider.ts")).commandProvider,
}

/** Names of the providers in this build, for messages and completions. */
export const providerNames: readonly string[] = Object.keys(loaders)

/**
 * The provider of an `agent_provider.template`: one of this build, else the operator's own, described by
 * `<contrib>/<template>/provider.yaml`. A name of this build is never taken by a file. Throws `BottleError` (exit 3)
 * for an unknown name and for a description that is wrong.
 */
export async function providerFor(template: string, contrib?: string): Promise<Provider> {
  const load = Object.hasOwn(loaders, template) ? loaders[template] : undefined
  if (load !== undefined) return load()
  const { loadContrib } = await import("./contrib/load.ts")
  const own = contrib === undefined ? undefined : await loadContrib(contrib, template)
  if (own !== undefined) return own
  throw new BottleError(`provider ${JSON.stringify(template)} is unknown`, {
    code: "unknown-provider",
    exit: "badManifest",
    hint: `agent_provider.template is one of: ${providerNames.join(", ")}, or a folder contrib/NAME with a provider.yaml`,
  })
}
