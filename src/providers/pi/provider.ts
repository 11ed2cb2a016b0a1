import { join } from "node:path"
import type { HostLook, Provider, ProviderRequest, ProviderSession } from "../provider.ts"
import { skillFiles } from "../skills.ts"
import { cliSummary, hasSystemPrompt, refuseUnfit } from "../wants.ts"
import { piFiles, placeholders, promptFile } from "./files.ts"
import dockerfile from "./image.dockerfile" with { type: "text" }
import { findPi, inPiImage } from "./install.ts"
import { piRoutes } from "./routes.ts"
import { type PiSettings, readPiSettings } from "./settings.ts"

/** Below the home, the operator's and the one inside. */
const skillFolder = ".pi/agent/skills"

/**
 * Drives Pi: the operator's own, shown read-only to the bottle together with a Node that can run it, or the one in its image. Inside it holds a
 * placeholder instead of a key and talks to one model API's host only. It has no permission prompts. Measured with
 * 1.5.2.
 */
export const piProvider: Provider = {
  template: "pi",
  skills: skillFolder,
  dockerfile,
  prepare: async (want, host) => preparePi(want, host),
}

function preparePi(want: ProviderRequest, host: HostLook): ProviderSession {
  refuseUnfit(want, "pi", "flags of the CLI go under agent_provider.settings.extra_args")
  const settings = readPiSettings(want.settings)
  const install = want.cli === "image" ? inPiImage : findPi(host)
  const flags = [
    // Shown in its footer.
    ...(want.headless || want.label === "" ? [] : ["--name", want.label]),
    ...(hasSystemPrompt(want) ? ["--append-system-prompt", promptFile(want.home)] : []),
    ...settings.extraArgs,
    ...promptArguments(want),
  ]
  return {
    argv: [...install.command, ...flags],
    resumeArgv: [...install.command, "--continue", ...flags],
    env: piEnvironment(want, settings),
    files: [...piFiles(want, settings), ...skillFiles(want, skillFolder)],
    mounts: install.mounts,
    path: [],
    routes: piRoutes(settings, want.authSlot),
    transcripts: [join(".pi", "agent", "sessions")],
    summary: `${cliSummary("pi", install)}${install.node === undefined ? "" : `, node ${install.node}`}`,
  }
}

/** `--` keeps a prompt that begins with a hyphen from being read as a flag; one that begins with `@` would name a file. */
function promptArguments({ prompt, headless }: ProviderRequest): string[] {
  const words = prompt === undefined ? [] : ["--", prompt.startsWith("@") ? ` ${prompt}` : prompt]
  return headless ? ["--print", ...words] : words
}

function piEnvironment(want: ProviderRequest, settings: PiSettings): Record<string, string> {
  const { variable, value } = placeholders[settings.provider][settings.auth]
  return {
    [variable]: value,
    NODE_EXTRA_CA_CERTS: want.ca,
    // Leaves the model API as the only host: no version check, model catalogue, download of fd and ripgrep.
    PI_OFFLINE: "1",
    PI_SKIP_VERSION_CHECK: "1",
    PI_TELEMETRY: "0",
    // The operator's terminal is asked nothing.
    PI_PROGRAM_STATUS: "0",
  }
}
