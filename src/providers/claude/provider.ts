import type { HostLook, Provider, ProviderRequest, ProviderSession } from "../provider.ts"
import { wrongSetting } from "../settings.ts"
import { skillFiles } from "../skills.ts"
import { cliSummary, hasSystemPrompt, refuseUnfit } from "../wants.ts"
import { claudeFiles, placeholders, promptFile } from "./files.ts"
import { claudeLogin } from "./host-login.ts"
import dockerfile from "./image.dockerfile" with { type: "text" }
import { findClaude, inClaudeImage } from "./install.ts"
import { claudeRoutes } from "./routes.ts"
import { type ClaudeSettings, readClaudeSettings } from "./settings.ts"

/** Below the home, the operator's and the one inside. */
const skillFolder = ".claude/skills"

/**
 * Drives Claude Code: the operator's own, shown read-only to the bottle, or the one in its image. Inside it holds a placeholder instead of a
 * token, asks no questions, and has every permission that the bottle's policy has: the bottle is the fence, so
 * its own permission prompts are off. Measured with 2.1.329.
 */
export const claudeProvider: Provider = {
  template: "claude",
  skills: skillFolder,
  hostLogin: claudeLogin,
  dockerfile,
  prepare: async (want, host) => prepareClaude(want, host),
}

function prepareClaude(want: ProviderRequest, host: HostLook): ProviderSession {
  refuseUnfit(want, "claude", "flags of the CLI go under agent_provider.settings.extra_args")
  const settings = readClaudeSettings(want.settings)
  if (want.login !== undefined && settings.auth !== "oauth") {
    throw wrongSetting("auth", "the login of the host is a subscription's", "leave auth out")
  }
  const install = want.cli === "image" ? inClaudeImage : findClaude(host, process.arch)
  return {
    argv: [...install.command, ...flags(want, settings), ...promptArguments(want)],
    resumeArgv: [...install.command, "--continue", ...flags(want, settings), ...promptArguments(want)],
    env: claudeEnvironment(want, settings.auth),
    files: [...claudeFiles(want, settings.auth), ...skillFiles(want, skillFolder)],
    mounts: install.mounts,
    path: [],
    routes: claudeRoutes(settings.auth, want.authSlot),
    transcripts: [".claude/projects"],
    summary: cliSummary("claude", install),
  }
}

function flags(want: ProviderRequest, settings: ClaudeSettings): string[] {
  return [
    "--dangerously-skip-permissions",
    // Shown beside its prompt.
    ...(want.headless || want.label === "" ? [] : [`--name=${want.label}`]),
    ...(want.headless || !settings.remoteControl ? [] : [`--remote-control=${want.label}`]),
    ...(settings.model === undefined ? [] : ["--model", settings.model]),
    ...(!hasSystemPrompt(want) ? [] : ["--append-system-prompt-file", promptFile(want.home)]),
    ...settings.extraArgs,
  ]
}

/** `--` keeps a prompt that begins with a hyphen from being read as a flag. */
function promptArguments(want: ProviderRequest): string[] {
  const prompt = want.prompt === undefined ? [] : ["--", want.prompt]
  return want.headless ? ["-p", ...prompt] : prompt
}

function claudeEnvironment(want: ProviderRequest, auth: ClaudeSettings["auth"]): Record<string, string> {
  return {
    ...(auth === "oauth"
      ? { CLAUDE_CODE_OAUTH_TOKEN: placeholders.oauth }
      : { ANTHROPIC_API_KEY: placeholders["api-key"] }),
    NODE_EXTRA_CA_CERTS: want.ca,
    // Leaves api.anthropic.com as the only host: no telemetry, feature flags, changelog or plugin market.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: "1",
    // The CLI is mounted read-only, and the operator keeps it up to date.
    DISABLE_AUTOUPDATER: "1",
    DISABLE_INSTALLATION_CHECKS: "1",
  }
}
