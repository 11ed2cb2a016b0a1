import type { HostLook, Provider, ProviderRequest, ProviderSession } from "../provider.ts"
import { skillFiles } from "../skills.ts"
import { cliSummary, refuseUnfit } from "../wants.ts"
import { codexFiles, notProxied } from "./files.ts"
import { codexLogin } from "./host-login.ts"
import dockerfile from "./image.dockerfile" with { type: "text" }
import { findCodex, inCodexImage } from "./install.ts"
import { codexRoutes } from "./routes.ts"
import { type CodexSettings, readCodexSettings } from "./settings.ts"

/** Below the home, the operator's and the one inside. */
const skillFolder = ".codex/skills"

/**
 * Drives Codex: the operator's own, shown read-only to the bottle, or the one in its image. Inside it holds a placeholder instead of an API key,
 * runs without its own sandbox and approvals (the bottle is the fence), and talks to the API's host only. Measured
 * with 0.169.0.
 */
export const codexProvider: Provider = {
  template: "codex",
  skills: skillFolder,
  hostLogin: codexLogin,
  dockerfile,
  prepare: async (want, host) => prepareCodex(want, host),
}

function prepareCodex(want: ProviderRequest, host: HostLook): ProviderSession {
  refuseUnfit(want, "codex", "flags of the CLI go under agent_provider.settings.extra_args")
  const settings = readCodexSettings(want.settings)
  const install = want.cli === "image" ? inCodexImage : findCodex(host, process.arch)
  const command = [...(want.headless ? [] : besideTheProxy), install.command, ...start(want, settings)]
  return {
    argv: [...command, ...promptArguments(want)],
    resumeArgv: [...command, "resume", "--last", ...promptArguments(want)],
    // Its own name for a CA, read before the general ones, which the bottle sets too.
    env: { CODEX_CA_CERTIFICATE: want.ca },
    files: [...codexFiles(want, settings), ...skillFiles(want, skillFolder)],
    mounts: install.mounts,
    path: install.path,
    routes: codexRoutes(want.authSlot, want.login?.way === "subscription"),
    transcripts: [".codex/sessions"],
    summary: cliSummary("codex", install),
  }
}

/**
 * On a terminal the CLI asks this host for a line of news, whatever it is told, and each time that would count as a
 * refused request. Past the proxy it finds no network at all. Commands that the agent runs get the bottle's own
 * values back (`files.ts`).
 */
const newsHost = "raw.githubusercontent.com"
const besideTheProxy = ["/usr/bin/env", ...["NO_PROXY", "no_proxy"].map((name) => `${name}=${notProxied},${newsHost}`)]

/** What stands before `resume`. A workspace need not be a repository. */
function start(want: ProviderRequest, settings: CodexSettings): string[] {
  return want.headless ? ["exec", "--skip-git-repo-check", ...settings.extraArgs] : [...settings.extraArgs]
}

/** `--` keeps a prompt that begins with a hyphen from being read as a flag; a lone `-` would mean the closed stdin. */
function promptArguments({ prompt }: ProviderRequest): string[] {
  if (prompt === undefined) return []
  return ["--", prompt === "-" ? " -" : prompt]
}
